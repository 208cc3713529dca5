using Spectre.Console;

namespace Client.Shell;

/// <summary>Labels and texts, one below the other. What is null is left out.</summary>
internal sealed class Facts
{
    private readonly List<(string Label, Cell Text)> _facts = [];

    public Facts Add(string label, string? text, string? style = null)
    {
        if (text is not null)
        {
            _facts.Add((label, new(text, style)));
        }

        return this;
    }

    public void WriteTo(Terminal terminal)
    {
        if (terminal.OutputIsTerminal)
        {
            var grid = new Grid()
                .AddColumn(new GridColumn { NoWrap = true, Padding = new(2, 0, 3, 0) })
                .AddColumn(new GridColumn { Padding = new(0, 0, 0, 0) });
            foreach (var (label, text) in _facts)
            {
                grid.AddRow(new Markup($"[grey]{Markup.Escape(Terminal.Clean(label))}[/]"), new Markup(text.ToMarkup()));
            }

            terminal.Console.Write(grid);
            return;
        }

        var width = _facts.Count == 0 ? 0 : _facts.Max(fact => fact.Label.Length);
        foreach (var (label, text) in _facts)
        {
            terminal.Line($"{label.PadRight(width)}  {text.Text.ReplaceLineEndings(", ")}");
        }
    }
}
