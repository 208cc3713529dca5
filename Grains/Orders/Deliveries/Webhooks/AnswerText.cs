using System.Text;
using Grains.Interfaces.Orders;

namespace Grains.Orders.Deliveries.Webhooks;

/// <summary>
/// The beginning of an endpoint's answer as it is kept: one line of text, at most <see cref="HandlingTry.MaxAnswerBytes"/> bytes of UTF-8.
/// </summary>
public static class AnswerText
{
    /// <summary>What is no UTF-8 becomes U+FFFD, and control characters become spaces: it is shown on terminals.</summary>
    /// <param name="body">The answer's first bytes; what is beyond the bound is left out, at a character's edge.</param>
    /// <returns>Null where nothing is left.</returns>
    public static string? Of(ReadOnlySpan<byte> body)
    {
        var text = new StringBuilder();
        var bytes = 0;
        while (!body.IsEmpty)
        {
            // What is cut off in a character's middle is left out, and not shown as damaged.
            var status = Rune.DecodeFromUtf8(body, out var rune, out var used);
            if (status == System.Buffers.OperationStatus.NeedMoreData && body.Length < 4)
            {
                break;
            }

            rune = Rune.IsControl(rune) || Rune.IsWhiteSpace(rune) ? (Rune)' ' : rune;
            bytes += rune.Utf8SequenceLength;
            if (bytes > HandlingTry.MaxAnswerBytes)
            {
                break;
            }

            text.Append(rune.ToString());
            body = body[used..];
        }

        var trimmed = text.ToString().Trim();
        return trimmed.Length == 0 ? null : trimmed;
    }
}
