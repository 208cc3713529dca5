using System.Net.Security;

namespace Grains.Orders.Deliveries.Mail;

public enum SmtpSecurity
{
    /// <summary>In the clear: to a server on this machine or a trusted network.</summary>
    None,

    /// <summary>STARTTLS; a server that does not offer it gets no mail.</summary>
    StartTls,

    /// <summary>TLS from the first byte (port 465).</summary>
    Tls,
}

/// <summary>The mail server that takes all mails.</summary>
public sealed record SmtpSettings(string Host, int Port, SmtpSecurity Security)
{
    /// <summary>Null: nobody logs in.</summary>
    public string? User { get; init; }

    public string? Password { get; init; }

    /// <summary>Connections at once; further mails wait for one.</summary>
    public int MaxConnections { get; init; } = 4;

    /// <summary>Mails over one connection; then a fresh one.</summary>
    public int MaxMailsPerConnection { get; init; } = 100;

    /// <summary>A connection that was unused for longer is not used again: servers close them.</summary>
    public TimeSpan KeepIdle { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// For one mail, from the connection to the last answer, without waiting for a connection. RFC 5321 §4.5.3.2 has servers take minutes;
    /// what is cut off after the final dot is "unknown".
    /// </summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Decides on the server's certificate; null: the system does.</summary>
    public RemoteCertificateValidationCallback? CheckCertificate { get; init; }

    /// <summary>Without the password.</summary>
    public override string ToString() => $"{Host}:{Port} ({Security})";
}
