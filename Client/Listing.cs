using System.Text;
using Grains.Interfaces.Values;
using Spectre.Console;

namespace Client;

/// <summary>A table: with lines and colours on a terminal, columns of plain text two spaces apart when piped.</summary>
internal sealed class Listing
{
    private readonly List<Heading> _columns = [];
    private readonly List<Cell[]> _rows = [];

    public int Rows => _rows.Count;

    public Listing Column(string title, bool right = false, bool wrap = false)
    {
        _columns.Add(new(title, right, wrap));
        return this;
    }

    public void Row(params Cell[] cells)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(cells.Length, _columns.Count);
        _rows.Add(cells);
    }

    public void WriteTo(Terminal terminal)
    {
        if (terminal.OutputIsTerminal)
        {
            terminal.Console.Write(ForTerminal());
        }
        else
        {
            foreach (var line in ForPipe())
            {
                terminal.Line(line);
            }
        }
    }

    public Table ForTerminal()
    {
        var table = new Table { Border = TableBorder.Simple, BorderStyle = new Style(Color.Grey) };
        foreach (var column in _columns)
        {
            table.AddColumn(
                new TableColumn($"[grey]{Markup.Escape(Terminal.Clean(column.Title))}[/]")
                {
                    Alignment = column.Right ? Justify.Right : Justify.Left,
                    NoWrap = !column.Wrap,
                }
            );
        }

        foreach (var row in _rows)
        {
            table.AddRow(row.Select(cell => new Markup(cell.ToMarkup())));
        }

        return table;
    }

    public IEnumerable<string> ForPipe()
    {
        var lines = new List<string[]> { _columns.Select(column => column.Title).ToArray() };
        lines.AddRange(_rows.Select(row => row.Select(cell => cell.Text.ReplaceLineEndings(", ")).ToArray()));
        var widths = _columns.Select((_, i) => lines.Max(line => line[i].Length)).ToArray();
        foreach (var line in lines)
        {
            var text = new StringBuilder();
            for (var i = 0; i < line.Length; i++)
            {
                text.Append(_columns[i].Right ? line[i].PadLeft(widths[i]) : line[i].PadRight(widths[i])).Append("  ");
            }

            yield return text.ToString().TrimEnd();
        }
    }

    private readonly record struct Heading(string Title, bool Right, bool Wrap);
}

/// <param name="Text">As it is, of any origin; lines are parted by line feeds.</param>
/// <param name="Style">Of Spectre, for terminals: <c>red</c>, <c>bold</c>…</param>
internal readonly record struct Cell(string Text, string? Style = null)
{
    public static implicit operator Cell(string? text) => new(text ?? "");

    public string ToMarkup()
    {
        var clean = Markup.Escape(TerminalText.CleanLines(Text));
        return Style is null ? clean : $"[{Style}]{clean}[/]";
    }
}
