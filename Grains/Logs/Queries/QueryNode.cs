using System.Collections.Immutable;

namespace Grains.Logs.Queries;

/// <summary>
/// A query as a tree. Every node is true or false of a record, never unknown: what a record lacks matches nothing, and so NOT of it
/// matches.
/// </summary>
public abstract record QueryNode
{
    private QueryNode() { }

    /// <summary>Every record: <c>*</c>, or no query at all.</summary>
    public sealed record Every : QueryNode
    {
        public static readonly Every One = new();
    }

    public sealed record All(ImmutableArray<QueryNode> Of) : QueryNode;

    public sealed record Any(ImmutableArray<QueryNode> Of) : QueryNode;

    public sealed record Not(QueryNode Of) : QueryNode;

    /// <summary>
    /// The time, or the observed time, lies within these nanoseconds since 1970; both ends included. Empty when <paramref name="From"/> is
    /// above <paramref name="To"/>.
    /// </summary>
    public sealed record Times(bool IsObserved, ulong From, ulong To) : QueryNode;

    /// <summary>The severity's number lies within; both ends included. 0 means that the record does not say.</summary>
    public sealed record Severities(int From, int To) : QueryNode;

    /// <summary>A field's text passes a test.</summary>
    /// <param name="Name">Of the attribute; empty for the other fields.</param>
    public sealed record Text(QueryField Field, string Name, TextTest Test) : QueryNode;
}

public enum QueryField
{
    Service,
    Host,
    Body,
    Event,

    /// <summary>32 hexadecimal digits in lower case.</summary>
    Trace,

    /// <summary>16 hexadecimal digits in lower case.</summary>
    Span,
    Attribute,
}

/// <summary>What is asked of a text.</summary>
public abstract record TextTest
{
    private TextTest() { }

    /// <summary>There is one: not empty, or, of an attribute, not null.</summary>
    public sealed record Exists : TextTest;

    /// <summary>The whole text, byte by byte.</summary>
    public sealed record Equal(string Value) : TextTest;

    /// <summary>A number that equals this one; for a whole number of 2⁵³ and more, the same digits.</summary>
    public sealed record EqualNumber(double Value, string Written) : TextTest;

    /// <summary>Before or after this text by its UTF-8 bytes.</summary>
    public sealed record Compare(Comparison Comparison, string Value) : TextTest;

    /// <summary>A number on this side of that one. What is no number does not match.</summary>
    public sealed record CompareNumber(Comparison Comparison, double Value) : TextTest;

    /// <summary>
    /// The pieces follow each other, with anything between them; the first stands at the start and the last at the end. An empty one asks
    /// for nothing.
    /// </summary>
    /// <param name="Folded">Letters A to Z match either case; the pieces are in lower case then.</param>
    public sealed record Like(ImmutableArray<string> Pieces, bool Folded) : TextTest;

    /// <summary>Is found somewhere in the text.</summary>
    public sealed record Matches(Pattern Pattern) : TextTest;
}

public enum Comparison
{
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}
