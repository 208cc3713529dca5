using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Grains.Interfaces.Orders;
using Grains.Orders.Deliveries;
using Grains.Orders.Deliveries.Mail;
using Xunit;

namespace Unit.Orders.Deliveries.Mail;

public sealed class MailTemplatesTests
{
    [Theory]
    [InlineData(null, "en")]
    [InlineData("", "en")]
    [InlineData("en-GB", "en")]
    [InlineData("de", "de")]
    [InlineData("DE-at", "de")]
    [InlineData("de-Latn-AT-1996", "de")]
    [InlineData("fr", "en")]
    public void TheLanguageIsTheCustomersOrTheOneItBelongsToOrEnglish(string? asked, string language) =>
        Assert.Equal(language, MailTemplates.BuiltIn.For("order.paid", asked).Language);

    [Fact]
    public void EveryTypeIsThereInBothLanguagesAndBothForms()
    {
        foreach (var type in ChangeTypes.All)
        {
            Assert.All(["en", "de"], language => Assert.NotNull(MailTemplates.BuiltIn.For(type, language).Html));
        }
    }

    [Fact]
    public void ATextIsFilledInItsLanguage()
    {
        var order = Given.Placed(payBefore: Given.Start.AddDays(2));

        Assert.Equal(
            $"""
            Guten Tag ann,

            vielen Dank für Ihre Bestellung vom 1 März 2026 12:00 UTC.
            Bitte bezahlen Sie bis 3 März 2026 12:00 UTC; danach wird sie storniert.

            Bestellung {order.Id}
              2 × tea: 9,00 EUR
            Summe: 9,00 EUR

            The shop

            """,
            MailTemplates.BuiltIn.For("order.placed", "de").Plain.Fill(new(order, CultureInfo.GetCultureInfo("de"), "The shop"))
        );
    }

    [Fact]
    public void ALineWithSomethingThatTheOrderHasNotIsLeftOut()
    {
        var text = MailTemplates.BuiltIn.For("order.cancelled", "en").Plain;
        var order = Given.Placed() with { Status = OrderStatus.Cancelled };

        Assert.DoesNotContain("paid in time", Fill(text, order), StringComparison.Ordinal);
        Assert.Contains(
            "\nIt had not been paid in time.\n",
            Fill(text, order with { Reason = Order.NotPaidInTime }),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void InTheHtmlPartEveryValueIsEscaped()
    {
        var order = Given.Placed() with { Customer = "<script>alert('&')</script>", Lines = [new("\"><b>", 1, 1)] };
        var html = Fill(MailTemplates.BuiltIn.For("order.paid", "en").Html!, order);

        Assert.DoesNotContain("<script>", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<b>", html, StringComparison.Ordinal);
        Assert.Contains("<p>Hello &lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;,</p>", html, StringComparison.Ordinal);
        Assert.Contains("<tr><td>&quot;&gt;&lt;b&gt;</td>", html, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatACustomerIsCalledIsNoPlaceholder() =>
        Assert.Contains(
            "Hello {{total}},",
            Fill(MailTemplates.BuiltIn.For("order.paid", "en").Plain, Given.Placed() with { Customer = "{{total}}" }),
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("JPY", 123456, "123,456 JPY")]
    [InlineData("EUR", 123456, "1,234.56 EUR")]
    [InlineData("KWD", 123456, "123.456 KWD")]
    [InlineData("EUR", 9007199254740991, "90,071,992,547,409.91 EUR")]
    [InlineData("EUR", 5, "0.05 EUR")]
    public void AnAmountHasTheDigitsOfItsCurrency(string currency, long minor, string amount) =>
        Assert.Equal(
            amount,
            new MailValues(Given.Placed() with { Currency = currency, Total = minor }, CultureInfo.GetCultureInfo("en"), "").Find(
                "total",
                html: false
            )
        );

    [Fact]
    public void AnOperatorsFileReplacesOneAndLeavesTheOthers()
    {
        var templates = Build(("order.paid.de.txt", "Subject: Danke\n\nDanke, {{ customer }}!\n"));

        Assert.Equal("Danke, ann!\n", Fill(templates.For("order.paid", "de-AT").Plain, Given.Placed()));
        Assert.NotNull(templates.For("order.paid", "de").Html);
        Assert.StartsWith("Hello ann,", Fill(templates.For("order.paid", "en").Plain, Given.Placed()), StringComparison.Ordinal);
    }

    [Fact]
    public void AnOperatorsLanguageWithoutHtmlIsPlainOnlySoThatNoMailIsInTwoLanguages()
    {
        var templates = Build(("order.paid.fr.txt", "Subject: Merci\n\nMerci\n"));

        Assert.Equal("fr", templates.For("order.paid", "fr-CA").Language);
        Assert.Null(templates.For("order.paid", "fr-CA").Html);
        Assert.Equal("en", templates.For("order.placed", "fr").Language);
    }

    [Theory]
    [InlineData("order.paid.de.txt", "Danke\n\nText\n", "order.paid.de.txt:1: The first line is \"Subject: …\".")]
    [InlineData("order.paid.de.txt", "Subject: Danke\nText\n", "order.paid.de.txt:2: The second line is empty, and the text follows it.")]
    [InlineData(
        "order.paid.de.txt",
        "Subject: {{what}}\n\nText\n",
        "order.paid.de.txt:1: \"{{what}}\" is no placeholder; there are customer, date, lines, notes, order, payBefore, shop, "
            + "total, unpaid."
    )]
    [InlineData(
        "order.paid.de.txt",
        "Subject: Danke\n\nA\nB {{customer\nC\n",
        "order.paid.de.txt:4: \"{{\" is not closed by \"}}\" on its line."
    )]
    [InlineData(
        "order.paid.de.html",
        "<p>\n{{Customer}}</p>\n",
        "order.paid.de.html:2: \"{{Customer}}\" is no placeholder; there are customer, date, lines, notes, order, payBefore, "
            + "shop, total, unpaid."
    )]
    [InlineData(
        "order.paid.txt",
        "Subject: A\n\nB\n",
        "order.paid.txt:1: A template is called after its change, language and form, such as order.paid.de.txt or "
            + "order.paid.de-AT.html; changes are order.placed, order.paid, order.shipped, order.completed, order.cancelled, "
            + "order.refunded."
    )]
    [InlineData(
        "order.payed.de.txt",
        "Subject: A\n\nB\n",
        "order.payed.de.txt:1: A template is called after its change, language and form, such as order.paid.de.txt or "
            + "order.paid.de-AT.html; changes are order.placed, order.paid, order.shipped, order.completed, order.cancelled, "
            + "order.refunded."
    )]
    public void AMistakeIsNamedWithFileAndLine(string file, string text, string sentence) =>
        Assert.Equal([sentence], Errors((file, Encoding.UTF8.GetBytes(text))));

    [Fact]
    public void ALineThatIsNotUtf8IsNamed() =>
        Assert.Equal(
            ["order.paid.de.txt:3: The file is not UTF-8."],
            Errors(("order.paid.de.txt", [.. "Subject: A\n\n"u8, 0xFC, (byte)'\n']))
        );

    [Fact]
    public void AFallbackThatLacksATextIsRefused() =>
        Assert.Contains(
            "order.placed.fr.txt is missing: the language \"fr\" is the one for everybody whose own there is not, and needs every text.",
            MailTemplates.Build([], "fr").Errors
        );

    [Fact]
    public void AFolderIsReadAndOtherFilesInItAreNot()
    {
        var folder = Directory.CreateTempSubdirectory("mail-templates").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "order.paid.en.txt"), "Subject: A\r\n\r\nB {{order}}\r\n");
            File.WriteAllText(Path.Combine(folder, "README.md"), "{{nothing}}");
            var (templates, errors) = MailTemplates.Read(folder, "en");

            Assert.Empty(errors);
            Assert.Equal($"B {Given.Id()}\n", Fill(templates!.For("order.paid", null).Plain, Given.Placed()));

            File.WriteAllText(Path.Combine(folder, "order.paid.en.html"), new string('x', MailTemplate.MaxLength + 1));
            Assert.Equal(["order.paid.en.html:1: The file is longer than 65536 bytes."], MailTemplates.Read(folder, "en").Errors);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        Assert.StartsWith(
            "The folder of mail templates cannot be read: ",
            Assert.Single(MailTemplates.Read(folder, "en").Errors),
            StringComparison.Ordinal
        );
    }

    private static string Fill(MailTemplate template, Order order) =>
        template.Fill(new(order, CultureInfo.GetCultureInfo("en"), "The shop"));

    private static MailTemplates Build(params (string Name, string Text)[] files)
    {
        var (templates, errors) = MailTemplates.Build(files.Select(file => (file.Name, Encoding.UTF8.GetBytes(file.Text))), "en");
        Assert.Empty(errors);
        return templates!;
    }

    private static ImmutableArray<string> Errors(params (string Name, byte[] Bytes)[] files) => MailTemplates.Build(files, "en").Errors;
}
