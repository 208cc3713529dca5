using System.Globalization;
using Grains.Interfaces.Keys;
using Grains.Interfaces.Orders;
using Silo.Middleware;

namespace Silo.Orders;

/// <summary>
/// What customers want to be told, and which addresses get no mail, over HTTP. Names and addresses stand in the query, which is not logged.
/// </summary>
internal static class MailRoutes
{
    private const int UsualTake = 50;

    /// <summary>Of an order's customer (<c>OrderCheck</c>).</summary>
    private const int MaxCustomer = 200;

    public static void MapMail(this RouteGroupBuilder orders)
    {
        orders
            .MapGet("preferences", Preferences)
            .WithName("showPreferences")
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery("customer"))
            .WithSummary("What a customer wants to be told: by mail \"null\" for everything, \"[]\" for nothing.")
            .Produces<PreferencesForm>();
        orders
            .MapPut("preferences", Prefer)
            .WithName("setPreferences")
            .For(ApiRole.Writer)
            .Takes(OrdersJson.Default.PreferencesForm, PreferencesForm.MaxBytes)
            .WithSummary("Keeps what a customer wants to be told. It is known everywhere a few seconds later.")
            .Produces<PreferencesForm>();
        orders
            .MapGet("suppressions", Suppressions)
            .WithName("listSuppressions")
            .DescribesNumber("take", 1, IOrderMailGrain.MaxTake)
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery("address", "take", "after"))
            .WithSummary(
                "Addresses that get no mail any more, since their server refused them for good; with \"address\" whether this "
                    + "is one. Addresses are not kept, so the list shows little of them."
            )
            .Produces<SuppressionListForm>();
        orders
            .MapDelete("suppressions", Lift)
            .WithName("liftSuppression")
            .Refuses(StatusCodes.Status404NotFound)
            .For(ApiRole.Operator)
            .WithMetadata(new TakesQuery("address"))
            .WithSummary("Mail goes to this address again.")
            .Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> Preferences(HttpContext context, OrderDesk desk, string? customer = null) =>
        Fault(customer) is { } fault
            ? Problem.Invalid(new Fault(fault, Parameter: "customer"))
            : Results.Json(
                PreferencesForm.Of(await desk.Mail.Preferences(customer!, context.RequestAborted)),
                OrdersJson.AsItIs.PreferencesForm
            );

    private static async Task<IResult> Prefer(HttpContext context, OrderDesk desk)
    {
        var form = ITakesBody.BodyOf<PreferencesForm>(context);
        if (Fault(form.Customer) is { } nobody)
        {
            return Problem.Invalid(new Fault(nobody, "#/customer"));
        }

        return
            form.TryRead(out var preferences) is { } fault
            || (fault = await desk.Mail.Prefer(preferences, context.RequestAborted)) is not null
            ? Problem.Invalid(new Fault(fault, "#/mail"))
            : Results.Json(PreferencesForm.Of(preferences), OrdersJson.AsItIs.PreferencesForm);
    }

    private static async Task<IResult> Suppressions(
        HttpContext context,
        OrderDesk desk,
        string? address = null,
        string? take = null,
        string? after = null
    )
    {
        if (address is not null)
        {
            return take is null && after is null
                ? Results.Json(
                    new SuppressionListForm(
                        await desk.Mail.Suppression(address, context.RequestAborted) is { } one ? [SuppressionForm.Of(one)] : [],
                        null
                    ),
                    OrdersJson.AsItIs.SuppressionListForm
                )
                : Problem.Invalid(new Fault("\"address\" asks for one; \"take\" and \"after\" are for all.", Parameter: "address"));
        }

        var count = UsualTake;
        var faults = new List<Fault>();
        if (
            take is not null
            && !(
                int.TryParse(take, NumberStyles.None, CultureInfo.InvariantCulture, out count)
                && count is >= 1 and <= IOrderMailGrain.MaxTake
            )
        )
        {
            faults.Add(new($"\"take\" is 1 to {IOrderMailGrain.MaxTake}; this is \"{take}\".", Parameter: "take"));
        }

        if (after is not null && !(after.Length == 64 && after.All(char.IsAsciiHexDigitLower)))
        {
            faults.Add(new("\"after\" is what an answer before gave: 64 digits of hex.", Parameter: "after"));
        }

        if (faults is not [])
        {
            return Problem.Invalid(faults);
        }

        var page = await desk.Mail.Suppressions(after, count, context.RequestAborted);
        return Results.Json(
            new SuppressionListForm([.. page.Select(SuppressionForm.Of)], page.Length == count ? page[^1].Id : null),
            OrdersJson.AsItIs.SuppressionListForm
        );
    }

    private static async Task<IResult> Lift(HttpContext context, OrderDesk desk, string? address = null)
    {
        if (string.IsNullOrWhiteSpace(address))
        {
            return Problem.Invalid(new Fault("\"address\" says which, such as ?address=ann@example.org.", Parameter: "address"));
        }

        return await desk.Mail.Lift(address, context.RequestAborted)
            ? Results.NoContent()
            : Problem.NotFound("Mail goes to this address already.");
    }

    private static string? Fault(string? customer) =>
        customer is { Length: >= 1 and <= MaxCustomer }
            ? null
            : $"\"customer\" is whose, by the name that the orders have: 1 to {MaxCustomer} characters.";
}
