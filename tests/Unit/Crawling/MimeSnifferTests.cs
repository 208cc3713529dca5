using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Grains.Crawling.Pages;
using Xunit;

namespace Unit.Crawling;

public sealed partial class MimeSnifferTests
{
    public static TheoryData<string, string, string, string> Rows()
    {
        var rows = new TheoryData<string, string, string, string>();
        foreach (
            var line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Data", "mime.tsv"))
                .Where(line => line.Length > 0 && line[0] != '#')
        )
        {
            var columns = line.Split('\t');
            rows.Add(columns[0], columns[1], columns[2], columns[3]);
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void AnAnswerIsWhatTheTableSays(string contentType, string options, string body, string expected)
    {
        var plain =
            contentType
            is "text/plain"
                or "text/plain; charset=ISO-8859-1"
                or "text/plain; charset=iso-8859-1"
                or "text/plain; charset=UTF-8";

        Assert.Equal(
            expected,
            MimeSniffer.Type(ContentType.Parse(contentType == "-" ? null : contentType).MediaType, options == "nosniff", plain, Bytes(body))
        );
    }

    [Fact]
    public void OnlyTheFirst1445BytesAreLookedAt()
    {
        Assert.Equal(
            "text/plain",
            MimeSniffer.Type("", noSniff: false, plainByDefault: false, [.. new byte[1445].Select(_ => (byte)'x'), 0])
        );
        Assert.Equal(
            "application/octet-stream",
            MimeSniffer.Type("", noSniff: false, plainByDefault: false, [.. new byte[1444].Select(_ => (byte)'x'), 0])
        );
    }

    private static byte[] Bytes(string text) =>
        Encoding.Latin1.GetBytes(
            Escapes()
                .Replace(text, match => match.Value[1] switch
                    {
                        'n' => "\n",
                        't' => "\t",
                        '0' => "\0",
                        _ => ((char)int.Parse(match.ValueSpan[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToString(),
                    })
        );

    [GeneratedRegex(@"\\(?:[nt0]|x[0-9a-f]{2})")]
    private static partial Regex Escapes();
}
