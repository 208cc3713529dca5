using System.Text.Json;
using System.Text.Json.Serialization;
using Grains.Interfaces.Keys;
using Silo.Http;
using Silo.Middleware;

namespace Silo.Cluster;

/// <summary>
/// The API keys over HTTP, for operators, as <c>keys add|list|revoke</c> has them at the console. A secret is in one answer only.
/// </summary>
public static class KeyRoutes
{
    public static void MapKeys(this WebApplication app)
    {
        var keys = app.MapGroup("/api/keys").WithTags("keys");
        keys.MapGet("", List)
            .WithName("listKeys")
            .For(ApiRole.Operator)
            .WithMetadata(new TakesQuery())
            .WithSummary("The API keys that are known, without their secrets.")
            .Produces<ApiKeyListForm>();
        keys.MapPost("", Add)
            .WithName("addKey")
            .Refuses(StatusCodes.Status409Conflict)
            .For(ApiRole.Operator)
            .Takes(KeysJson.Default.AddKeyForm, AddKeyForm.MaxBytes)
            .WithSummary("Makes an API key. The answer has it; it is not shown again.")
            .Produces<AddedKeyForm>(StatusCodes.Status201Created);
        keys.MapDelete("{name}", Revoke)
            .WithName("revokeKey")
            .Refuses(StatusCodes.Status404NotFound)
            .For(ApiRole.Operator)
            .WithMetadata(new TakesQuery())
            .WithSummary(
                "Makes an API key worthless; every silo refuses it within five seconds. After the last one HTTP and gRPC stay closed until "
                    + "another is made at the console."
            )
            .Produces<RevokedKeyForm>();
    }

    private static async Task<IResult> List(HttpContext context, IGrainFactory grains) =>
        Results.Json(
            new ApiKeyListForm([.. (await Keys(grains).List(context.RequestAborted)).Select(ApiKeyForm.Of)]),
            KeysJson.AsItIs.ApiKeyListForm
        );

    private static async Task<IResult> Add(HttpContext context, IGrainFactory grains)
    {
        var asked = ITakesBody.BodyOf<AddKeyForm>(context);
        var reply = await Keys(grains).Add(asked.Name, asked.Role, context.RequestAborted);
        if (reply.Secret is not { } secret)
        {
            return reply.Refusal switch
            {
                AddKeyRefusal.Name => Problem.Invalid(new Fault(reply.Error!, "#/name")),
                AddKeyRefusal.Role => Problem.Invalid(new Fault(reply.Error!, "#/role")),
                AddKeyRefusal.Exists or AddKeyRefusal.Full => new(StatusCodes.Status409Conflict, reply.Error!),
                _ => new Problem(StatusCodes.Status503ServiceUnavailable, reply.Error!),
            };
        }

        context.Response.Headers.CacheControl = "no-store";
        return Results.Json(
            new AddedKeyForm(asked.Name, asked.Role, secret),
            KeysJson.AsItIs.AddedKeyForm,
            statusCode: StatusCodes.Status201Created
        );
    }

    private static async Task<IResult> Revoke(HttpContext context, string name, IGrainFactory grains) =>
        await Keys(grains).Revoke(name, context.RequestAborted)
            ? Results.Json(
                new RevokedKeyForm(name, Revoked: true, (await Keys(grains).List(context.RequestAborted)).Length),
                KeysJson.AsItIs.RevokedKeyForm
            )
            : Problem.NotFound(
                $"There is no key \"{(name.Length > 80 ? name[..80] + "…" : name)}\"; GET /api/keys lists those that are known."
            );

    private static IApiKeysGrain Keys(IGrainFactory grains) => grains.GetGrain<IApiKeysGrain>(0);
}

/// <summary>API keys as JSON over HTTP, in the form of <see cref="RestJson"/>.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    Converters = [typeof(CamelCase<ApiRole>)]
)]
[JsonSerializable(typeof(AddKeyForm))]
[JsonSerializable(typeof(AddedKeyForm))]
[JsonSerializable(typeof(ApiKeyListForm))]
[JsonSerializable(typeof(RevokedKeyForm))]
internal sealed partial class KeysJson : JsonSerializerContext
{
    /// <inheritdoc cref="RestJson.AsItIs"/>
    public static KeysJson AsItIs => field ??= new(RestJson.AsItIs(Default.Options));
}
