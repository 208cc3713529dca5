using System.Text;
using Grains.Interfaces.Values;
using Spectre.Console;

namespace Client.Shell;

/// <summary>
/// A table: with lines and colours on a terminal, columns of plain text two spaces apart when piped. On a terminal too narrow for it
/// each row is a block of labels and texts, so that no column is hidden, and no id or number is broken.
/// </summary>
internal sealed class Listing
{
    /// <summary>Characters that a column of sentences needs at least, to be readable beside others.</summary>
    private const int MinWrapped = 20;

    private readonly List<Heading> _columns = [];
    private readonly List<Cell[]> _rows = [];

    public int Rows => _rows.Count;

    /// <param name="title">Above the column.</param>
    /// <param name="right">Numbers stand at the right.</param>
    /// <param name="wrap">Sentences may be broken.</param>
    /// <param name="isId">It is the first, and all that is written where only results are wanted.</param>
    public Listing Column(string title, bool right = false, bool wrap = false, bool isId = false)
    {
        _columns.Add(new(title, right, wrap, isId));
        return this;
    }

    public void Row(params Cell[] cells)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(cells.Length, _columns.Count);
        _rows.Add(cells);
    }

    public void WriteTo(Terminal terminal)
    {
        if (terminal.IsQuiet && _columns[0].IsId)
        {
            foreach (var row in _rows)
            {
                terminal.Line(row[0].Text);
            }
        }
        else if (terminal.OutputIsTerminal && MinWidth <= terminal.Console.Profile.Width)
        {
            terminal.Console.Write(ForTerminal());
        }
        else if (terminal.OutputIsTerminal)
        {
            foreach (var row in _rows)
            {
                Block(row).WriteTo(terminal);
                terminal.Line("");
            }
        }
        else
        {
            foreach (var line in ForPipe())
            {
                terminal.Line(line);
            }
        }
    }

    /// <summary>Characters of the table when nothing but its sentences is wrapped: cells, a space on each side of them, borders.</summary>
    private int MinWidth => _columns.Select((column, i) => MinWidthOf(column, i) + 2).Sum() + _columns.Count + 1;

    private int MinWidthOf(Heading column, int i)
    {
        var widest = _rows.Select(row => row[i].Width).Append(column.Title.GetCellWidth()).Max();
        return column.Wrap ? Math.Min(widest, Math.Max(MinWrapped, column.Title.GetCellWidth())) : widest;
    }

    private Facts Block(Cell[] row)
    {
        var block = new Facts();
        foreach (var (column, cell) in _columns.Zip(row).Where(pair => pair.Second.Text.Length > 0))
        {
            block.Add(column.Title.TrimStart('=', '+', ' '), cell.Text, cell.Style);
        }

        return block;
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

    private readonly record struct Heading(string Title, bool Right, bool Wrap, bool IsId);
}

/// <param name="Text">As it is, of any origin; lines are parted by line feeds.</param>
/// <param name="Style">Of Spectre, for terminals: <c>red</c>, <c>bold</c>…</param>
internal readonly record struct Cell(string Text, string? Style = null)
{
    /// <summary>Columns of a terminal that its widest line takes.</summary>
    public int Width => TerminalText.CleanLines(Text).Split('\n').Max(line => line.GetCellWidth());

    public static implicit operator Cell(string? text) => new(text ?? "");

    public string ToMarkup()
    {
        var clean = Markup.Escape(TerminalText.CleanLines(Text));
        return Style is null ? clean : $"[{Style}]{clean}[/]";
    }
}
