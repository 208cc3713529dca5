using System.Text;
using MailKit;

namespace Grains.Orders.Deliveries.Mail;

/// <summary>
/// Watches a session's lines, for what no exception tells: whether the final dot went out. A piece is seen after it was handed to the
/// connection whole; so a dot that was not seen
/// did not go out in full, and the server has no mail.
/// </summary>
internal sealed class SmtpWatch : IProtocolLogger
{
    private readonly StringBuilder _line = new();
    private bool _isData;

    /// <summary>Bytes of <see cref="End"/> that have gone out last.</summary>
    private int _matched;

    /// <summary>The whole message was handed over.</summary>
    public bool AfterDot { get; private set; }

    /// <summary>The server asked for the message (354).</summary>
    public bool HasBegun { get; private set; }

    /// <summary>The server's last whole line, as it came; at most 1,000 characters.</summary>
    public string LastReply { get; private set; } = "";

    /// <summary>The last line that was a refusal (4yz, 5yz): what comes after it is the answer to tidying up.</summary>
    public string LastRefusal { get; private set; } = "";

    private static ReadOnlySpan<byte> End => "\r\n.\r\n"u8;

    public IAuthenticationSecretDetector? AuthenticationSecretDetector { get; set; }

    /// <summary>Before the next mail.</summary>
    public void Begin()
    {
        _isData = false;
        AfterDot = false;
        HasBegun = false;
        LastReply = "";
        LastRefusal = "";
        _matched = 0;
    }

    public void LogConnect(Uri uri) { }

    public void LogClient(byte[] buffer, int offset, int count)
    {
        if (!_isData)
        {
            return;
        }

        for (var rest = buffer.AsSpan(offset, count); !rest.IsEmpty; rest = rest[1..])
        {
            if (_matched == 0)
            {
                // Every mail goes through here: what is between line ends is skipped.
                var start = rest.IndexOf(End[0]);
                if (start < 0)
                {
                    return;
                }

                rest = rest[start..];
            }

            // A piece of the end that is broken off begins anew at its own first byte, and nowhere else.
            _matched =
                rest[0] == End[_matched] ? _matched + 1
                : rest[0] == End[0] ? 1
                : 0;
            if (_matched == End.Length)
            {
                _isData = false;
                AfterDot = true;
                return;
            }
        }
    }

    public void LogServer(byte[] buffer, int offset, int count)
    {
        foreach (var value in buffer.AsSpan(offset, count))
        {
            if (value == (byte)'\n')
            {
                LastReply = _line.ToString().TrimEnd('\r');
                _line.Clear();
                if (LastReply is ['4' or '5', ..])
                {
                    LastRefusal = LastReply;
                }

                if (LastReply.StartsWith("354", StringComparison.Ordinal))
                {
                    // An empty message begins with the dot's own line.
                    _isData = true;
                    HasBegun = true;
                    _matched = 2;
                }
            }
            else if (_line.Length < 1000)
            {
                _line.Append((char)value);
            }
        }
    }

    public void Dispose() { }
}
