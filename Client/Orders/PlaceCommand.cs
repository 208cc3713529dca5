using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Grains.Interfaces.Orders;
using Grains.Interfaces.Values;

namespace Client.Orders;

/// <summary><c>orders place</c></summary>
internal sealed class PlaceCommand
{
    private readonly Option<string> _customer = new("--customer")
    {
        Description = "Whose order it is.",
        HelpName = "C",
        Required = true,
    };

    private readonly Option<OrderLine[]> _lines = new("--line")
    {
        Description = "An article, how many, and the price of one in the currency's minor unit: tea:2:450. Several allowed.",
        HelpName = "SKU:QTY:PRICE",
        Required = true,
        Arity = ArgumentArity.OneOrMore,
        CustomParser = ReadLines,
    };

    private readonly Option<string> _currency = new("--currency")
    {
        Description = "Three letters of ISO 4217.",
        HelpName = "CODE",
        DefaultValueFactory = _ => "EUR",
    };
    private readonly Option<string?> _key = new("--key")
    {
        Description = "The same key places one order, however often it is asked.",
        HelpName = "K",
    };
    private readonly Option<string?> _notes = new("--notes") { Description = "Free text that goes with the order.", HelpName = "TEXT" };
    private readonly Option<string?> _email = new("--email") { Description = "Where the customer hears of it.", HelpName = "ADDRESS" };
    private readonly Option<string?> _language = new("--language")
    {
        Description = "In which language, such as en or pt-BR.",
        HelpName = "TAG",
    };

    private readonly Option<string?> _payBefore = new("--pay-before")
    {
        Description =
            "It cancels itself when it is not paid by then: a time such as 2030-01-31T12:00:00Z, or how long from now, such as 15m.",
        HelpName = "TIME",
    };

    private PlaceCommand() { }

    public static Command Create(Verbs verbs)
    {
        var place = new PlaceCommand();
        var command = new Command("place", "Place an order.")
        {
            place._customer,
            place._lines,
            place._currency,
            place._key,
            place._notes,
            place._email,
            place._language,
            place._payBefore,
        };
        return verbs.Act(command, place.Run);
    }

    private async Task<int> Run(Session session, ParseResult parsed, CancellationToken cancel)
    {
        var key = OrderText.Key(parsed.GetValue(_key));
        var asked = new PlaceOrder
        {
            Customer = parsed.GetRequiredValue(_customer),
            Currency = parsed.GetRequiredValue(_currency),
            Lines = [.. parsed.GetRequiredValue(_lines)],
            Notes = parsed.GetValue(_notes),
            Email = parsed.GetValue(_email),
            Language = parsed.GetValue(_language),
            PayBefore = Time(parsed.GetValue(_payBefore), session.Terminal.Clock.GetUtcNow()),
        };
        var cluster = await session.Cluster(cancel);
        var order = OrderText.Taken(await cluster.Orders.Place(key, asked, cancel));
        if (session is { Json: false, Quiet: false, Terminal.OutputIsTerminal: true })
        {
            session.Terminal.MarkupLine(
                $"Order [bold]{order.Id}[/] is placed: {OrderText.Total(order)}. [grey]Look at it with: orders show {order.Id}[/]"
            );
        }
        else
        {
            session.Tell(OrderForm.Of(order), $"Order {order.Id} is placed: {OrderText.Total(order)}.", order.Id.Value);
        }

        return ExitCode.Done;
    }

    /// <summary>The article may have colons of its own.</summary>
    private static OrderLine[] ReadLines(ArgumentResult result)
    {
        var lines = new List<OrderLine>();
        foreach (var token in result.Tokens)
        {
            var parts = token.Value.Split(':');
            if (
                parts.Length >= 3
                && int.TryParse(parts[^2], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var quantity)
                && long.TryParse(parts[^1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var price)
            )
            {
                lines.Add(new(string.Join(':', parts[..^2]), quantity, price));
            }
            else
            {
                result.AddError($"--line is SKU:QTY:PRICE with two whole numbers, such as tea:2:450; this is \"{token.Value}\"");
            }
        }

        return [.. lines];
    }

    private static DateTimeOffset? Time(string? text, DateTimeOffset now)
    {
        if (text is null)
        {
            return null;
        }

        if (Durations.TryParse(text, out var duration) && duration < DateTimeOffset.MaxValue - now)
        {
            return now + duration;
        }

        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : throw new ConsoleException(
                $"--pay-before is a time such as 2030-01-31T12:00:00Z, or how long from now, such as 15m; this is "
                    + $"\"{Terminal.Clean(text)}\".",
                ExitCode.WrongUsage
            );
    }
}
