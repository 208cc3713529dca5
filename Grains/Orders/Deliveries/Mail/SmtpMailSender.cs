using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Grains.Net;
using Grains.Orders.Lifecycle;
using Grains.Orders.Rows;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace Grains.Orders.Deliveries.Mail;

/// <summary>
/// Hands mails to one server over SMTP (RFC 5321), over connections that are kept: at most <see cref="SmtpSettings.MaxConnections"/>,
/// further mails wait. One try; a kept connection that
/// the server has closed in the meantime is replaced by a fresh one within it, for nothing had been handed over on it.
/// </summary>
/// <param name="clock">For the time limit, and for how long a connection was unused.</param>
/// <param name="resolve">All addresses of a name; null: the system's resolver.</param>
/// <param name="connect">Opens a connection to an address, or throws a <see cref="SocketException"/>; null: over TCP.</param>
public sealed class SmtpMailSender(
    SmtpSettings settings,
    TimeProvider clock,
    Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null,
    Func<IPEndPoint, CancellationToken, ValueTask<Stream>>? connect = null
) : IMailSender, IDisposable
{
    private readonly SemaphoreSlim _places = new(settings.MaxConnections, settings.MaxConnections);
    private readonly ConcurrentStack<Session> _idle = new();

    public async Task<MailOutcome> Send(OutgoingMail mail, CancellationToken cancel)
    {
        await _places.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            using var timeout = new CancellationTokenSource(settings.Timeout, clock);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancel);
            while (true)
            {
                var session = Kept() ?? new Session(settings.CheckCertificate);
                var (outcome, isStale) = await Try(session, mail, timeout, both.Token, cancel).ConfigureAwait(false);
                if (!isStale)
                {
                    return outcome;
                }
            }
        }
        finally
        {
            _places.Release();
        }
    }

    /// <summary>Closes the kept connections. Without a farewell: it is for the end of the process.</summary>
    public void Dispose()
    {
        while (_idle.TryPop(out var session))
        {
            session.Dispose();
        }

        _places.Dispose();
    }

    private Session? Kept()
    {
        while (_idle.TryPop(out var session))
        {
            if (
                session.Client.IsConnected
                && session.Mails < settings.MaxMailsPerConnection
                && clock.GetElapsedTime(session.LastUsed) <= settings.KeepIdle
            )
            {
                return session;
            }

            session.Dispose();
        }

        return null;
    }

    private async Task<(MailOutcome Outcome, bool IsStale)> Try(
        Session session,
        OutgoingMail mail,
        CancellationTokenSource timeout,
        CancellationToken both,
        CancellationToken cancel
    )
    {
        var isKept = session.Mails > 0;
        var isOurs = true;
        session.Watch.Begin();
        try
        {
            if (!isKept)
            {
                await Open(session.Client, both).ConfigureAwait(false);
            }

            session.Mails++;
            var options = FormatOptions.Default.Clone();
            options.International = EmailAddress.TryParse(mail.To, out var to, out _) && to.NeedsSmtpUtf8;
            if (options.International && !session.Client.Capabilities.HasFlag(SmtpCapabilities.UTF8 | SmtpCapabilities.EightBitMime))
            {
                isOurs = false;
                GiveBack(session);
                return (
                    new(
                        MailVerdict.Refused,
                        "smtputf8",
                        "The address has letters beyond ASCII before its \"@\", and the mail server takes none: it does not "
                            + "offer SMTPUTF8.",
                        Code: null,
                        Suppress: false
                    ),
                    IsStale: false
                );
            }

            using var bytes = new MemoryStream(mail.Bytes.ToArray(), writable: false);
            using var message = await MimeMessage.LoadAsync(bytes, both).ConfigureAwait(false);
            await session
                .Client.SendAsync(options, message, new MailboxAddress("", mail.From), [new MailboxAddress("", mail.To)], both)
                .ConfigureAwait(false);
            isOurs = false;
            GiveBack(session);
            return (MailOutcome.Delivered("Taken by the server.", Code(session.Watch.LastReply)), IsStale: false);
        }
        catch (Exception) when (cancel.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancel);
        }
        catch (Exception) when (timeout.IsCancellationRequested)
        {
            // A write that is broken off may have gone out all the same: from the message's first byte on nobody can say.
            return (
                MailOutcome.Lost(
                    session.Watch.HasBegun,
                    DeliveryReasons.Timeout,
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"The mail server did not answer within {settings.Timeout.TotalSeconds:0.###} s."
                    )
                ),
                IsStale: false
            );
        }
        catch (SmtpCommandException exception)
        {
            var code = (int)exception.StatusCode;
            var isStale = isKept && code == 421 && !session.Watch.AfterDot && exception.ErrorCode != SmtpErrorCode.MessageNotAccepted;
            if (session.Client.IsConnected && code != 421)
            {
                isOurs = false;
                GiveBack(session);
            }

            return (MailOutcome.Answered(Stage(exception, session), code, Words(session.Watch.LastRefusal, code, exception)), isStale);
        }
        catch (AuthenticationException exception)
        {
            return (
                Code(session.Watch.LastRefusal) is { } code
                    ? MailOutcome.Answered(SmtpStage.Connection, code, Words(session.Watch.LastRefusal, code, exception))
                    : MailOutcome.Lost(
                        afterDot: false,
                        DeliveryReasons.Login,
                        "The mail server takes no login of a kind that is known here."
                    ),
                IsStale: false
            );
        }
        catch (SslHandshakeException)
        {
            return (
                MailOutcome.Lost(
                    afterDot: false,
                    DeliveryReasons.Tls,
                    "No secure connection to the mail server: its certificate is not one to trust, or it speaks no TLS."
                ),
                IsStale: false
            );
        }
        catch (NotSupportedException exception)
        {
            return (
                MailOutcome.Lost(
                    afterDot: false,
                    DeliveryReasons.Tls,
                    $"The mail server does not offer what the settings ask for: {MailOutcome.Tidy(exception.Message)}"
                ),
                IsStale: false
            );
        }
        catch (CannotConnectException exception)
        {
            return (MailOutcome.Lost(afterDot: false, DeliveryReasons.Unreachable, MailOutcome.Tidy(exception.Message)), IsStale: false);
        }
        catch (Exception exception)
            when (exception
                    is SmtpProtocolException
                        or IOException
                        or SocketException
                        or ServiceNotConnectedException
                        or OperationCanceledException
            )
        {
            var isStale = isKept && !session.Watch.AfterDot && !session.Watch.HasBegun;
            return (MailOutcome.Lost(session.Watch.AfterDot, DeliveryReasons.Cut, "The connection to the mail server was cut."), isStale);
        }
        finally
        {
            if (isOurs)
            {
                session.Dispose();
            }
        }
    }

    private async Task Open(SmtpClient client, CancellationToken cancel)
    {
        var security = settings.Security switch
        {
            SmtpSecurity.None => SecureSocketOptions.None,
            SmtpSecurity.StartTls => SecureSocketOptions.StartTls,
            _ => SecureSocketOptions.SslOnConnect,
        };
        var host = EmailAddress.TryAscii(settings.Host, out var ascii) ? ascii : settings.Host;
        var stream = await CheckedConnection.Open(new(host, settings.Port), allowed: null, resolve, connect, cancel).ConfigureAwait(false);
        try
        {
            await client.ConnectAsync(stream, host, settings.Port, security, cancel).ConfigureAwait(false);
        }
        catch
        {
            // The client owns it only once it is connected.
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        // BDAT ends a message by a count, not by a dot; one way to end it is enough.
        client.Capabilities &= ~(SmtpCapabilities.Chunking | SmtpCapabilities.BinaryMime);
        if (settings.User is { } user)
        {
            await client.AuthenticateAsync(user, settings.Password ?? "", cancel).ConfigureAwait(false);
        }
    }

    private void GiveBack(Session session)
    {
        session.LastUsed = clock.GetTimestamp();
        _idle.Push(session);
    }

    private static SmtpStage Stage(SmtpCommandException exception, Session session) =>
        exception.ErrorCode switch
        {
            SmtpErrorCode.RecipientNotAccepted => SmtpStage.Recipient,
            SmtpErrorCode.SenderNotAccepted => SmtpStage.Sender,
            SmtpErrorCode.MessageNotAccepted => SmtpStage.Message,

            // An answer to DATA itself comes as "unexpected".
            _ => session.Mails == 0 ? SmtpStage.Connection : SmtpStage.Message,
        };

    private static int? Code(string reply) =>
        reply.Length >= 3 && int.TryParse(reply.AsSpan(0, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var code) ? code : null;

    // MailKit takes the enhanced code off its messages; the line as it came has it.
    private static string Words(string reply, int code, Exception exception) =>
        Code(reply) == code && reply.Length > 4 ? reply[4..] : exception.Message;

    private sealed class Session : IDisposable
    {
        public Session(System.Net.Security.RemoteCertificateValidationCallback? checkCertificate)
        {
            Client = new(Watch) { ServerCertificateValidationCallback = checkCertificate };
        }

        public SmtpWatch Watch { get; } = new();

        public SmtpClient Client { get; }

        /// <summary>Sent or tried over it; 0 while it is being opened.</summary>
        public int Mails { get; set; }

        public long LastUsed { get; set; }

        public void Dispose() => Client.Dispose();
    }
}
