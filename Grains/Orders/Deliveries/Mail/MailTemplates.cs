using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Grains.Orders.Deliveries.Mail;

/// <summary>A mail's text in one language.</summary>
/// <param name="Html">Null: the mail has a plain text only.</param>
public sealed record MailText(string Language, MailTemplate Subject, MailTemplate Plain, MailTemplate? Html);

/// <summary>
/// Templates by type of change and language: <c>order.paid.de.txt</c> (its first line "Subject: …", then an empty one, then the text) and
/// <c>order.paid.de.html</c>.
/// English and German are built in; an operator's folder replaces them file by file, and adds languages.
/// </summary>
/// <remarks>
/// The language is the most special one there is a .txt for: de-AT, then de, then the fallback. The HTML part is of that same language, or
/// there is none: no mail is in two languages.
/// </remarks>
public sealed class MailTemplates
{
    /// <summary>Files of an operator's folder.</summary>
    public const int MaxFiles = 1000;

    private const string SubjectMark = "Subject: ";

    private readonly ImmutableDictionary<string, MailText> _texts;
    private readonly string _fallback;

    private MailTemplates(ImmutableDictionary<string, MailText> texts, string fallback)
    {
        _texts = texts;
        _fallback = fallback;
    }

    public static MailTemplates BuiltIn { get; } =
        Build([], "en") is { Templates: { } templates }
            ? templates
            : throw new InvalidOperationException("The built-in templates are wrong.");

    /// <summary>Reads an operator's folder over the built-in ones. Only names that end in .txt and .html are looked at.</summary>
    /// <returns>The templates, or a sentence for each thing that is wrong, with file and line.</returns>
    public static (MailTemplates? Templates, ImmutableArray<string> Errors) Read(string folder, string fallback)
    {
        var files = new List<(string Name, byte[] Bytes)>();
        try
        {
            var names = Directory
                .EnumerateFiles(folder)
                .Where(path => Path.GetExtension(path) is ".txt" or ".html")
                .Take(MaxFiles + 1)
                .Order(StringComparer.Ordinal)
                .ToList();
            if (names.Count > MaxFiles)
            {
                return (null, [$"The folder of mail templates has more than {MaxFiles} of them: {folder}."]);
            }

            foreach (var path in names)
            {
                if (new FileInfo(path).Length > MailTemplate.MaxLength)
                {
                    return (null, [$"{Path.GetFileName(path)}:1: The file is longer than {MailTemplate.MaxLength} bytes."]);
                }

                files.Add((Path.GetFileName(path), File.ReadAllBytes(path)));
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return (null, [$"The folder of mail templates cannot be read: {exception.Message}"]);
        }

        return Build(files, fallback);
    }

    /// <param name="files">Names and UTF-8, over those built in.</param>
    /// <param name="fallback">The language for whoever asked for none that exists. There has to be a text in it for every type.</param>
    public static (MailTemplates? Templates, ImmutableArray<string> Errors) Build(
        IEnumerable<(string Name, byte[] Bytes)> files,
        string fallback
    )
    {
        var errors = new List<string>();
        var plain = new Dictionary<string, (string Type, string Language, MailTemplate Subject, MailTemplate Text)>(
            StringComparer.OrdinalIgnoreCase
        );
        var html = new Dictionary<string, MailTemplate>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, bytes) in BuiltInFiles().Concat(files))
        {
            var (type, language, isHtml) = Split(name);
            if (type is null || language is null)
            {
                errors.Add(
                    $"{name}:1: A template is called after its change, language and form, such as order.paid.de.txt or "
                        + $"order.paid.de-AT.html; changes are {string.Join(", ", ChangeTypes.All)}."
                );
            }
            else if (Decode(bytes) is not { } text)
            {
                errors.Add($"{name}:{BadLine(bytes)}: The file is not UTF-8.");
            }
            else if (isHtml)
            {
                if (MailTemplate.Parse(name, text, isHtml: true, firstLine: 1, errors) is { } template)
                {
                    html[Key(type, language)] = template;
                }
            }
            else if (Plain(name, text, errors) is { } parts)
            {
                plain[Key(type, language)] = (type, language, parts.Subject, parts.Text);
            }
        }

        foreach (var type in ChangeTypes.All.Where(type => !plain.ContainsKey(Key(type, fallback)) && errors.Count == 0))
        {
            errors.Add(
                $"{type}.{fallback}.txt is missing: the language \"{fallback}\" is the one for everybody whose own there is "
                    + $"not, and needs every text."
            );
        }

        return errors.Count > 0
            ? (null, [.. errors])
            : (
                new(
                    plain.ToImmutableDictionary(
                        pair => pair.Key,
                        pair => new MailText(pair.Value.Language, pair.Value.Subject, pair.Value.Text, html.GetValueOrDefault(pair.Key)),
                        StringComparer.OrdinalIgnoreCase
                    ),
                    fallback
                ),
                []
            );
    }

    /// <param name="language">BCP 47, as the customer asked for; null for none.</param>
    public MailText For(string type, string? language)
    {
        for (var tag = language; !string.IsNullOrEmpty(tag); tag = tag.LastIndexOf('-') is >= 0 and var cut ? tag[..cut] : null)
        {
            if (_texts.TryGetValue(Key(type, tag), out var text))
            {
                return text;
            }
        }

        return _texts.TryGetValue(Key(type, _fallback), out var last)
            ? last
            : throw new ArgumentOutOfRangeException(nameof(type), type, "Not a type of change.");
    }

    private static string Key(string type, string language) => type + "." + language;

    private static (string? Type, string? Language, bool IsHtml) Split(string name)
    {
        var isHtml = name.EndsWith(".html", StringComparison.Ordinal);
        var stem =
            isHtml ? name[..^".html".Length]
            : name.EndsWith(".txt", StringComparison.Ordinal) ? name[..^".txt".Length]
            : "";
        var type = ChangeTypes.All.FirstOrDefault(type => stem.StartsWith(type + ".", StringComparison.Ordinal));
        var language = type is null ? "" : stem[(type.Length + 1)..];
        var isTag =
            language.Length is >= 2 and <= 35
            && language.Split('-') is [{ Length: >= 2 }, ..] parts
            && parts.All(part => part.Length is >= 1 and <= 8 && part.All(char.IsAsciiLetterOrDigit));
        return (type, isTag ? language : null, isHtml);
    }

    private static (MailTemplate Subject, MailTemplate Text)? Plain(string name, string text, List<string> errors)
    {
        var lines = text.ReplaceLineEndings("\n").Split('\n', 3);
        if (!lines[0].StartsWith(SubjectMark, StringComparison.Ordinal) || lines[0].Length == SubjectMark.Length)
        {
            errors.Add($"{name}:1: The first line is \"{SubjectMark}…\".");
            return null;
        }

        if (lines.Length < 3 || lines[1].Length > 0)
        {
            errors.Add($"{name}:2: The second line is empty, and the text follows it.");
            return null;
        }

        var subject = MailTemplate.Parse(name, lines[0][SubjectMark.Length..], isHtml: false, firstLine: 1, errors);
        var body = MailTemplate.Parse(name, lines[2], isHtml: false, firstLine: 3, errors);
        return subject is null || body is null ? null : (subject, body);
    }

    private static string? Decode(byte[] bytes)
    {
        var start = bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? Encoding.UTF8.Preamble.Length : 0;
        return System.Text.Unicode.Utf8.IsValid(bytes.AsSpan(start)) ? Encoding.UTF8.GetString(bytes.AsSpan(start)) : null;
    }

    private static string BadLine(byte[] bytes)
    {
        var line = 1;
        foreach (var part in Encoding.Latin1.GetString(bytes).Split('\n'))
        {
            if (!System.Text.Unicode.Utf8.IsValid(Encoding.Latin1.GetBytes(part)))
            {
                break;
            }

            line++;
        }

        return line.ToString(CultureInfo.InvariantCulture);
    }

    private static IEnumerable<(string Name, byte[] Bytes)> BuiltInFiles()
    {
        const string Folder = "mail/";
        var assembly = typeof(MailTemplates).Assembly;
        foreach (
            var resource in assembly
                .GetManifestResourceNames()
                .Where(name => name.StartsWith(Folder, StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
        )
        {
            using var stream = assembly.GetManifestResourceStream(resource)!;
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            yield return (resource[Folder.Length..], bytes);
        }
    }
}
