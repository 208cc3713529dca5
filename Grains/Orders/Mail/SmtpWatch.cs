using System.Text;
using MailKit;

namespace Grains.Orders.Mail;

/// <summary>
/// Watches a session's lines, for what no exception tells: whether the final dot went out. A piece is seen after it was handed to the connection whole; so a dot that was not seen
/// did not go out in full, and the server has no mail.
/// </summary>
internal sealed class SmtpWatch : IProtocolLogger
{
    private const string End = "\r\n.\r\n";

    private readonly StringBuilder _line = new();
    private readonly char[] _tail = new char[End.Length];
    private bool _isData;

    /// <summary>The whole message was handed over.</summary>
    public bool AfterDot { get; private set; }

    /// <summary>The server asked for the message (354).</summary>
    public bool HasBegun { get; private set; }

    /// <summary>The server's last whole line, as it came; at most 1,000 characters.</summary>
    public string LastReply { get; private set; } = "";

    /// <summary>The last line that was a refusal (4yz, 5yz): what comes after it is the answer to tidying up.</summary>
    public string LastRefusal { get; private set; } = "";

    public IAuthenticationSecretDetector? AuthenticationSecretDetector { get; set; }

    /// <summary>Before the next mail.</summary>
    public void Begin()
    {
        _isData = false;
        AfterDot = false;
        HasBegun = false;
        LastReply = "";
        LastRefusal = "";
        Array.Clear(_tail);
    }

    public void LogConnect(Uri uri)
    {
    }

    public void LogClient(byte[] buffer, int offset, int count)
    {
        if (!_isData)
        {
            return;
        }

        foreach (var value in buffer.AsSpan(offset, count))
        {
            Array.Copy(_tail, 1, _tail, 0, _tail.Length - 1);
            _tail[^1] = (char)value;
            if (_tail.AsSpan().SequenceEqual(End))
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
                    (_tail[^2], _tail[^1]) = ('\r', '\n');
                }
            }
            else if (_line.Length < 1000)
            {
                _line.Append((char)value);
            }
        }
    }

    public void Dispose()
    {
    }
}
