using System.Collections.Concurrent;
using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Unit.Reference;

/// <summary>The doc comments of the program, as the compiler writes them beside each assembly.</summary>
internal static partial class XmlDocs
{
    private static readonly ConcurrentDictionary<Assembly, XDocument> s_files = [];

    /// <summary>The summary of a field or a word of an enum, in plain text with code in backticks.</summary>
    /// <exception cref="InvalidOperationException">It has none.</exception>
    public static string Summary(FieldInfo field)
    {
        var type = field.DeclaringType!;
        var file = s_files.GetOrAdd(type.Assembly, assembly => XDocument.Load(Path.ChangeExtension(assembly.Location, ".xml")));
        var name = $"F:{type.FullName!.Replace('+', '.')}.{field.Name}";
        var summary = file.Descendants("member").SingleOrDefault(member => (string?)member.Attribute("name") == name)?.Element("summary")
            ?? throw new InvalidOperationException($"{name} has no summary: say there what it means.");
        return Spaces().Replace(string.Concat(summary.Nodes().Select(Text)), " ").Trim();
    }

    private static string Text(XNode node) =>
        node switch
        {
            XText text => text.Value,
            XElement { Name.LocalName: "see" } see => $"`{((string?)see.Attribute("cref") ?? "").Split('.', ':', '(')[^1]}`",
            XElement code => $"`{code.Value}`",
            _ => "",
        };

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
