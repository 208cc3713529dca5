using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Silo.Keys;

/// <summary>Where the first API key comes from.</summary>
public sealed class KeysOptions
{
    public const string Section = "Keys";

    [Description(
        "The first API key, an operator's, for a deployment whose HTTP is never on loopback: made while no key exists and none "
            + "was revoked, and ignored afterwards. A name, a dot and 43 characters of base64url (256 random bits), as \"keys "
            + "add\" prints it. Give it by an environment variable from a secret store."
    )]
    [KeySecret, PasswordPropertyText(true)]
    public string Bootstrap { get; set; } = "";
}

/// <summary>Accepts the secret of an API key, or nothing. What was given is not repeated in the error.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class KeySecretAttribute : ValidationAttribute
{
    public override bool IsValid(object? value) => value is "" || (value is string secret && ApiKey.NameIn(secret) is not null);

    public override string FormatErrorMessage(string name) =>
        $"{name} is the secret of an API key: 1 to 60 letters, digits, - and _, a dot, and 43 characters of base64url (the "
        + $"output of \"openssl rand 32\", encoded).";
}
