namespace Grains.Logs.Otlp;

/// <summary>A request that is no well-formed message of its kind: none of its records is taken.</summary>
/// <param name="fault">The end of a sentence: "a number is cut off".</param>
public class OtlpException(string fault) : FormatException($"This is no OTLP request: {fault}.")
{
    public OtlpException()
        : this("it cannot be read") { }

    public OtlpException(string fault, Exception inner)
        : this($"{fault} ({inner.Message})") { }
}
