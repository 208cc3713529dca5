using System.Text;
using Grains.Orders.Deliveries.Webhooks;
using Xunit;

namespace Unit.Orders.Deliveries.Webhooks;

public sealed class WebhookSignatureTests
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private const string Id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    private const string Signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    private static readonly byte[] Body = Encoding.UTF8.GetBytes("""{"test": 2432232314}""");
    private static readonly DateTimeOffset At = DateTimeOffset.FromUnixTimeSeconds(1614265330);
    private static readonly WebhookSecret Other = WebhookSecret.Parse("whsec_" + Convert.ToBase64String(new byte[32]));

    public static TheoryData<string, string, long, string, string> Vectors =>
        [.. Given.Rows("webhook-vectors.tsv").Select(row => (row[0], row[1], long.Parse(row[2], null), row[3], row[4]))];

    [Theory]
    [MemberData(nameof(Vectors))]
    public void AMessageIsSignedAsTheVectorsSay(string secret, string id, long seconds, string body, string signature)
    {
        var (at, bytes, key) = (DateTimeOffset.FromUnixTimeSeconds(seconds), Encoding.UTF8.GetBytes(body), WebhookSecret.Parse(secret));

        Assert.Equal(signature, WebhookSignature.Sign(id, at, bytes, key));
        Assert.Equal(
            SignatureVerdict.Good,
            WebhookSignature.Verify(id, WebhookSignature.Seconds(at), signature, bytes, [key], at, WebhookSignature.Tolerance)
        );
    }

    [Fact]
    public void TheStandardsVectorIsAmongThem() =>
        Assert.Contains(Vectors.Select(row => row.Data), row => row is (Secret, Id, 1614265330, """{"test": 2432232314}""", Signature));

    [Fact]
    public void WhileSecretsAreRotatedEachSignsAndEachIsEnough()
    {
        var header = WebhookSignature.Sign(Id, At, Body, Other, WebhookSecret.Parse(Secret));

        Assert.Equal(2, header.Split(' ').Length);
        Assert.EndsWith(" " + Signature, header, StringComparison.Ordinal);
        Assert.Equal(SignatureVerdict.Good, Verify(header));
        Assert.Equal(SignatureVerdict.Good, Verify(header, secret: Other));
        Assert.Equal(SignatureVerdict.Wrong, Verify(header, secret: WebhookSecret.New()));
    }

    [Fact]
    public void AReceiverMayKnowSeveralSecrets() =>
        Assert.Equal(
            SignatureVerdict.Good,
            WebhookSignature.Verify(Id, "1614265330", Signature, Body, [Other, WebhookSecret.Parse(Secret)], At, WebhookSignature.Tolerance)
        );

    [Theory]
    [InlineData(300, SignatureVerdict.Good)]
    [InlineData(301, SignatureVerdict.TooOld)]
    [InlineData(3600, SignatureVerdict.TooOld)]
    [InlineData(-300, SignatureVerdict.Good)]
    [InlineData(-301, SignatureVerdict.TooNew)]
    public void AMessageIsGoodForFiveMinutesInBothDirections(int later, SignatureVerdict verdict) =>
        Assert.Equal(verdict, Verify(Signature, now: At.AddSeconds(later)));

    [Theory]
    [InlineData(null, SignatureVerdict.NoTimestamp)]
    [InlineData("", SignatureVerdict.NoTimestamp)]
    [InlineData("soon", SignatureVerdict.NoTimestamp)]
    [InlineData("-1614265330", SignatureVerdict.NoTimestamp)]
    [InlineData("1614265330.5", SignatureVerdict.NoTimestamp)]
    [InlineData(" 1614265330", SignatureVerdict.NoTimestamp)]
    [InlineData("99999999999999999999", SignatureVerdict.NoTimestamp)]
    [InlineData("9223372036854775807", SignatureVerdict.TooNew)]
    [InlineData("01614265330", SignatureVerdict.Wrong)]
    [InlineData("1614265331", SignatureVerdict.Wrong)]
    public void AnotherTimestampIsNotGood(string? timestamp, SignatureVerdict verdict) =>
        Assert.Equal(verdict, Verify(Signature, timestamp: timestamp));

    [Theory]
    [InlineData(null, SignatureVerdict.NoSignature)]
    [InlineData("", SignatureVerdict.NoSignature)]
    [InlineData("g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", SignatureVerdict.NoSignature)]
    [InlineData("v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", SignatureVerdict.NoSignature)]
    [InlineData("v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", SignatureVerdict.NoSignature)]
    [InlineData("V1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", SignatureVerdict.NoSignature)]
    [InlineData("v1,", SignatureVerdict.Wrong)]
    [InlineData("v1,g0hM9SsE", SignatureVerdict.Wrong)]
    [InlineData("v1,not base64", SignatureVerdict.Wrong)]
    [InlineData("v1,h0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", SignatureVerdict.Wrong)]
    [InlineData("v1,AAAA v1a,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", SignatureVerdict.Good)]
    public void OnlyAV1SignatureOfThisMessageIsGood(string? signatures, SignatureVerdict verdict) =>
        Assert.Equal(verdict, Verify(signatures));

    [Theory]
    [InlineData(null, SignatureVerdict.NoId)]
    [InlineData("", SignatureVerdict.NoId)]
    [InlineData("msg_other", SignatureVerdict.Wrong)]
    public void AnotherIdIsNotGood(string? id, SignatureVerdict verdict) =>
        Assert.Equal(
            verdict,
            WebhookSignature.Verify(id, "1614265330", Signature, Body, [WebhookSecret.Parse(Secret)], At, WebhookSignature.Tolerance)
        );

    [Fact]
    public void ABodyThatDiffersByAByteIsNotGood() =>
        Assert.Equal(
            SignatureVerdict.Wrong,
            WebhookSignature.Verify(
                Id,
                "1614265330",
                Signature,
                [.. Body, (byte)'\n'],
                [WebhookSecret.Parse(Secret)],
                At,
                WebhookSignature.Tolerance
            )
        );

    [Fact]
    public void NoMoreThanSixteenSignaturesAreLookedAt()
    {
        var wrong = string.Concat(Enumerable.Repeat("v1,AAAA ", 15));

        Assert.Equal(SignatureVerdict.Good, Verify(wrong + Signature));
        Assert.Equal(SignatureVerdict.Wrong, Verify(wrong + "v1,AAAA " + Signature));
    }

    [Fact]
    public void NothingIsSignedWithoutASecret() => Assert.Throws<ArgumentException>(() => WebhookSignature.Sign(Id, At, Body));

    private static SignatureVerdict Verify(
        string? signatures,
        string? timestamp = "1614265330",
        WebhookSecret? secret = null,
        DateTimeOffset? now = null
    ) =>
        WebhookSignature.Verify(
            Id,
            timestamp,
            signatures,
            Body,
            [secret ?? WebhookSecret.Parse(Secret)],
            now ?? At,
            WebhookSignature.Tolerance
        );
}

public sealed class WebhookSecretTests
{
    [Theory]
    [InlineData(24)]
    [InlineData(32)]
    [InlineData(64)]
    public void ASecretIsReadAsItIsWritten(int bytes)
    {
        var text = "whsec_" + Convert.ToBase64String([.. Enumerable.Range(0, bytes).Select(i => (byte)i)]);

        Assert.Equal(text, WebhookSecret.Parse(text).Text);
        Assert.Equal(WebhookSecret.Parse(text), WebhookSecret.Parse(text));
    }

    [Fact]
    public void ANewOneHasThirtyTwoBytesAndIsNeverTheSame()
    {
        var (one, other) = (WebhookSecret.New(), WebhookSecret.New());

        Assert.Equal(32, Convert.FromBase64String(one.Text["whsec_".Length..]).Length);
        Assert.NotEqual(one, other);
        Assert.Equal(one, WebhookSecret.Parse(one.Text));
    }

    [Fact]
    public void ItDoesNotGiveItselfAwayInText() => Assert.Equal("whsec_…", WebhookSecret.New().ToString());

    [Theory]
    [InlineData(
        null,
        "A webhook's secret begins with \"whsec_\" and goes on with 24 to 64 bytes in base64; this begins with something else."
    )]
    [InlineData(
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "A webhook's secret begins with \"whsec_\" and goes on with 24 to 64 bytes in base64; this begins with something else."
    )]
    [InlineData(
        "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "A webhook's secret begins with \"whsec_\" and goes on with 24 to 64 bytes in base64; this begins with something else."
    )]
    [InlineData("whsec_", "A webhook's secret has 24 to 64 bytes; this has 0.")]
    [InlineData("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "A webhook's secret has 24 to 64 bytes; this has 23.")]
    [InlineData(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
        "Behind \"whsec_\" stand 24 to 64 bytes in base64 (letters, digits, \"+\", \"/\" and \"=\" at its end); this is none."
    )]
    [InlineData(
        "whsec_MfKQ9r8GKYqrTwjU PD8ILPZIo2LaLaSw",
        "Behind \"whsec_\" stand 24 to 64 bytes in base64 (letters, digits, \"+\", \"/\" and \"=\" at its end); this is none."
    )]
    [InlineData(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_",
        "Behind \"whsec_\" stand 24 to 64 bytes in base64 (letters, digits, \"+\", \"/\" and \"=\" at its end); this is none."
    )]
    public void AWrongOneIsAnsweredWithWhatWouldBeRight(string? text, string sentence)
    {
        Assert.False(WebhookSecret.TryParse(text, out var secret, out var error));
        Assert.Null(secret);
        Assert.Equal(sentence, error);
    }

    [Theory]
    [InlineData(65, "A webhook's secret has 24 to 64 bytes; this has 65.")]
    [InlineData(100, "A webhook's secret has 24 to 64 bytes; this has more.")]
    public void ATooLongOneIsRefused(int bytes, string sentence)
    {
        Assert.False(WebhookSecret.TryParse("whsec_" + Convert.ToBase64String(new byte[bytes]), out _, out var error));
        Assert.Equal(sentence, error);
    }
}
