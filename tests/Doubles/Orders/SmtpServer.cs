using System.Collections.Concurrent;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Threading.Channels;
using Doubles.Net;

namespace Doubles.Orders;

/// <summary>A mail that a server has: the final dot was read.</summary>
/// <param name="IsAcknowledged">The server answered for it; without that it is a mail whose sender cannot know.</param>
public sealed record ReceivedMail(string From, string To, string Text, bool IsAcknowledged)
{
    public string Header(string name)
    {
        var lines = Text[..Text.IndexOf("\r\n\r\n", StringComparison.Ordinal)]
            .Replace("\r\n ", " ", StringComparison.Ordinal)
            .Replace("\r\n\t", " ", StringComparison.Ordinal)
            .Split("\r\n");
        return lines
            .Where(line => line.StartsWith(name + ": ", StringComparison.OrdinalIgnoreCase))
            .Select(line => line[(name.Length + 2)..])
            .Single();
    }
}

/// <summary>What a server does once, at a point of a session.</summary>
/// <param name="At">A command (<c>MAIL</c>, <c>RCPT</c>, <c>DATA</c>…), <c>connect</c>, <c>body</c> (while the message comes) or <c>.</c>
/// (after the final dot).</param>
/// <param name="Reply">Null: none.</param>
/// <param name="Cuts">The connection is reset.</param>
public sealed record SmtpFault(string At, string? Reply, bool Cuts)
{
    public static SmtpFault Says(string at, string reply) => new(at, reply, Cuts: false);

    /// <summary>Says it and hangs up, as a server does with 421.</summary>
    public static SmtpFault HangsUp(string at, string reply) => new(at, reply, Cuts: true);

    public static SmtpFault Cut(string at) => new(at, null, Cuts: true);

    /// <summary>Says nothing until the client has gone.</summary>
    public static SmtpFault Silence(string at) => new(at, null, Cuts: false);

    /// <summary>Does what it should, after a while.</summary>
    public static SmtpFault Slow(string at, TimeSpan pause) => new(at, null, Cuts: false) { Pause = pause };

    /// <summary>Before what it does; with no reply and no cut it then does what it should.</summary>
    public TimeSpan Pause { get; init; }

    internal bool IsOnlySlow => Pause > TimeSpan.Zero && Reply is null && !Cuts;
}

/// <summary>
/// An SMTP server at 127.0.0.1 of a network that keeps a ledger of mails, and misbehaves as it is told to: once each, in the order in which
/// it was told for that point.
/// </summary>
public sealed class SmtpServer : IAsyncDisposable
{
    private readonly Service _listener;
    private readonly ConcurrentDictionary<string, ConcurrentQueue<SmtpFault>> _faults = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentQueue<ReceivedMail> _ledger = new();
    private readonly ConcurrentQueue<string> _commands = new();
    private readonly Channel<string> _arrivals = Channel.CreateUnbounded<string>();
    private int _open;
    private int _mostOpen;

    /// <param name="network">Where it listens.</param>
    /// <param name="port">The one of a server that was here before, to be back; 0 for any.</param>
    public SmtpServer(INetwork network, int port = 0)
    {
        _listener = new(network, port, Serve);
        _listener.Start();
    }

    public int Port => _listener.Port;

    /// <summary>Mails that the server has, in order: their final dot came and was not refused.</summary>
    public IReadOnlyList<ReceivedMail> Ledger => [.. _ledger];

    /// <summary>The first words of all commands, in order.</summary>
    public IReadOnlyList<string> Commands => [.. _commands];

    public int Connections => _listener.Connections;

    /// <summary>Connections at one time at most.</summary>
    public int MostOpen => Volatile.Read(ref _mostOpen);

    /// <summary>Offered after EHLO.</summary>
    public IReadOnlyList<string> Extensions { get; set; } = ["8BITMIME", "ENHANCEDSTATUSCODES"];

    /// <summary>User and password; null: nobody has to log in.</summary>
    public (string User, string Password)? Login { get; set; }

    /// <summary>For STARTTLS, which is offered then.</summary>
    public X509Certificate2? Certificate { get; set; }

    /// <summary>Mails are taken only when it is done.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    /// <summary>
    /// Asked at each point of a session, with the recipient where there is one, before all else; null: as <see cref="Fail"/> was told.
    /// </summary>
    public Func<string, string, SmtpFault?>? Decide { get; init; }

    /// <summary>Told of each mail that the server has, before it is answered for.</summary>
    public Action<ReceivedMail>? Takes { get; init; }

    /// <summary>Keeps what came. Without it nothing is kept, and <see cref="Takes"/> alone sees the mails: for loads without end.</summary>
    public bool Remembers { get; init; } = true;

    public void Fail(params SmtpFault[] faults)
    {
        foreach (var fault in faults)
        {
            _faults.GetOrAdd(fault.At, _ => new()).Enqueue(fault);
        }
    }

    /// <summary>The next point that a session came to.</summary>
    public async Task Reaches(string point, CancellationToken cancel)
    {
        while (await _arrivals.Reader.ReadAsync(cancel) != point) { }
    }

    /// <summary>For "localhost", signed by nobody, good for a century.</summary>
    public static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        using var made = request.CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(30), DateTimeOffset.UnixEpoch.AddYears(130));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
    }

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private async Task Serve(Connection connection)
    {
        _mostOpen = Math.Max(_mostOpen, Interlocked.Increment(ref _open));
        using (connection)
        {
            try
            {
                await new Session(this, connection).Talk();
            }
            catch (Exception exception)
                when (exception is IOException or OperationCanceledException or System.Security.Authentication.AuthenticationException)
            {
                // The client has gone, or the server is stopped.
            }
            finally
            {
                Interlocked.Decrement(ref _open);
            }
        }
    }

    private SmtpFault? Next(string point, string recipient)
    {
        if (Remembers)
        {
            _arrivals.Writer.TryWrite(point);
        }

        if (Decide?.Invoke(point, recipient) is { } decided)
        {
            return decided;
        }

        return _faults.TryGetValue(point, out var faults) && faults.TryDequeue(out var fault) ? fault : null;
    }

    private void Keep(ReceivedMail mail)
    {
        Takes?.Invoke(mail);
        if (Remembers)
        {
            _ledger.Enqueue(mail);
        }
    }

    private enum Said
    {
        Expected,
        SomethingElse,

        /// <summary>The session is over.</summary>
        Nothing,
    }

    private sealed class Session(SmtpServer server, Connection connection)
    {
        private Stream _stream = connection.Stream;
        private WireReader _wire = new(Stream.Null);
        private bool _isKnown;
        private string _from = "";
        private string _to = "";

        private CancellationToken Stopped => server._listener.Stopped;

        public async Task Talk()
        {
            _wire = new(_stream);
            if (await Say("connect", "220 here") != Said.Expected)
            {
                return;
            }

            while (await Line() is { } line)
            {
                var command = line.Split(' ', ':')[0].ToUpperInvariant();
                if (server.Remembers)
                {
                    server._commands.Enqueue(command);
                }

                if (command == "MAIL")
                {
                    _to = "";
                }
                else if (command == "RCPT")
                {
                    _to = Address(line);
                }

                var said = await Say(command, Answer(command, line));
                if (said == Said.Nothing || command == "QUIT")
                {
                    return;
                }

                if (said == Said.Expected && !await Do(command, line))
                {
                    return;
                }
            }
        }

        private string Answer(string command, string line) =>
            command switch
            {
                "EHLO" => Hello(),
                "AUTH" => LogIn(line),
                "MAIL" when server.Login is not null && !_isKnown => "530 5.7.0 Log in first",
                "STARTTLS" => "220 go on",
                "DATA" => "354 go on",
                "QUIT" => "221 bye",
                _ => "250 2.0.0 ok",
            };

        private string Hello()
        {
            var lines = new List<string> { "here" };
            lines.AddRange(server.Extensions);
            if (server.Certificate is not null && _stream is not SslStream)
            {
                lines.Add("STARTTLS");
            }

            if (server.Login is not null)
            {
                lines.Add("AUTH PLAIN");
            }

            return string.Join("\r\n", lines.Select((text, i) => (i == lines.Count - 1 ? "250 " : "250-") + text));
        }

        private string LogIn(string line)
        {
            var words = Encoding.UTF8.GetString(Convert.FromBase64String(line.Split(' ')[2])).Split('\0');
            _isKnown = server.Login == (words[1], words[2]);
            return _isKnown ? "235 2.7.0 welcome" : "535 5.7.8 wrong user or password";
        }

        /// <summary>Whether the session goes on.</summary>
        private async Task<bool> Do(string command, string line)
        {
            switch (command)
            {
                case "STARTTLS":
                    var secure = new SslStream(_stream);
                    await secure.AuthenticateAsServerAsync(
                        new SslServerAuthenticationOptions { ServerCertificate = server.Certificate },
                        Stopped
                    );
                    _stream = secure;

                    // What came in the clear behind the command is not read as if it were secure (RFC 3207 §6).
                    _wire = new(secure);
                    return true;
                case "MAIL":
                    _from = Address(line);
                    return true;
                case "DATA":
                    return await Take();
                default:
                    return true;
            }
        }

        private async Task<bool> Take()
        {
            if (server.Next("body", _to) is { } early)
            {
                if (!early.IsOnlySlow)
                {
                    // A byte of the message was read; the dot was not.
                    await _wire.Peek(Stopped);
                    connection.Reset();
                    return false;
                }

                await Task.Delay(early.Pause, Stopped);
            }

            var text = new StringBuilder();
            while (await Line() is { } line)
            {
                if (line != ".")
                {
                    text.Append(line, line.StartsWith('.') ? 1 : 0, line.Length - (line.StartsWith('.') ? 1 : 0)).Append("\r\n");
                    continue;
                }

                await server.Gate.WaitAsync(Stopped);
                var mail = new ReceivedMail(_from, _to, text.ToString(), IsAcknowledged: true);
                var fault = server.Next(".", _to);
                if (fault is null or { IsOnlySlow: true })
                {
                    await Task.Delay(fault?.Pause ?? TimeSpan.Zero, Stopped);
                    server.Keep(mail);
                    await Write("250 2.0.0 taken");
                    return true;
                }

                if (fault.Reply is null)
                {
                    server.Keep(mail with { IsAcknowledged = false });
                }

                return await Play(fault) != Said.Nothing;
            }

            return false;
        }

        private async Task<Said> Say(string point, string expected)
        {
            if (server.Next(point, _to) is { } fault)
            {
                if (!fault.IsOnlySlow)
                {
                    return await Play(fault);
                }

                await Task.Delay(fault.Pause, Stopped);
            }

            await Write(expected);
            return expected[0] is '2' or '3' ? Said.Expected : Said.SomethingElse;
        }

        private async Task<Said> Play(SmtpFault fault)
        {
            await Task.Delay(fault.Pause, Stopped);
            if (fault.Reply is { } reply)
            {
                await Write(reply);
                return fault.Cuts ? Said.Nothing : Said.SomethingElse;
            }

            if (fault.Cuts)
            {
                connection.Reset();
            }
            else
            {
                await _wire.Drain(Stopped);
            }

            return Said.Nothing;
        }

        private async Task Write(string reply) => await _stream.WriteAsync(Encoding.ASCII.GetBytes(reply + "\r\n"), Stopped);

        /// <summary>Without its end; null when the client has gone.</summary>
        private ValueTask<string?> Line() => _wire.Line(Stopped);

        private static string Address(string line) =>
            line[(line.IndexOf('<', StringComparison.Ordinal) + 1)..line.IndexOf('>', StringComparison.Ordinal)];
    }
}
