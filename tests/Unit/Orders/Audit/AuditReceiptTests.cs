using Grains.Orders.Audit;
using Xunit;

namespace Unit.Orders.Audit;

public sealed class AuditReceiptTests : IDisposable
{
    private readonly AuditKey _key = AuditKey.Create();
    private readonly AuditInMemory _audit = new();

    public AuditReceiptTests()
    {
        _audit.Append(0, 10);
        _audit.Append(2, 400);
    }

    public void Dispose() => _key.Dispose();

    [Fact]
    public async Task AReceiptProvesAnOrdersChangesWithoutTheLog()
    {
        var text = (await Receipt(300, 301, 302)).ToJson();
        var receipt = AuditReceipt.FromJson(text);

        Assert.Null(receipt.Check([_key.PublicKey]));
        Assert.Equal(text, receipt.ToJson());
        Assert.Equal("c-100", receipt.Entries[0].Personal?.Part.Customer);
    }

    [Fact]
    public async Task AReceiptStillProvesWhatPersonalDataWasErasedFrom()
    {
        _audit[2].Personal.Clear();

        Assert.Null((await Receipt(300)).Check([_key.PublicKey]));
    }

    [Fact]
    public async Task AReceiptThatWasTamperedWithSaysWhatIsWrong()
    {
        var good = await Receipt(300);
        var proven = good.Entries[0];
        using var other = AuditKey.Create();
        var changed = (AuditEntry.Decode(proven.Entry.Span) with { Type = "refunded" }).Encode();

        Assert.Equal(
            "Entry 300 of partition 2 (order o-100, version 1) is not proven: entry and path do not lead to the signed root.",
            Check(good, proven with { Entry = changed })
        );
        Assert.Equal(
            "Entry 300 of partition 2 (order o-100, version 1) is proven, but the personal part beside it is not the one that "
                + "was recorded.",
            Check(good, proven with { Personal = SaltedPersonal.Of(new PersonalPart("c-1")) })
        );
        Assert.Equal(
            "Entry 300 of partition 2 (order o-100, version 1) has a proof for entry 301 in a tree of 400; the head has 400 entries there.",
            Check(good, proven with { Proof = (await Receipt(301)).Entries[0].Proof })
        );
        Assert.StartsWith("An audit entry is damaged", Check(good, proven with { Entry = new byte[] { 1 } }), StringComparison.Ordinal);
        Assert.EndsWith(
            "is of a partition that the head does not cover.",
            Check(good with { Head = _key.Sign(new AuditHead(AuditInMemory.Start, [])) }, proven),
            StringComparison.Ordinal
        );
        Assert.StartsWith(
            "The head of 2026-11-23T09:01:00Z says that it is signed with the key",
            good.Check([other.PublicKey]),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task AFileThatIsNoReceiptIsRefusedInASentence()
    {
        var text = (await Receipt(300)).ToJson();

        Assert.Throws<FormatException>(() => AuditReceipt.FromJson("[]"));
        Assert.Throws<FormatException>(() => AuditReceipt.FromJson(text.Replace("proof/1", "proof/2", StringComparison.Ordinal)));
        Assert.Throws<FormatException>(() =>
            AuditReceipt.FromJson(text.Replace("\"entry\": \"", "\"entry\": \"%", StringComparison.Ordinal))
        );
        Assert.Throws<FormatException>(() => AuditReceipt.FromJson("""{"format":"orders-audit-proof/1","head":null,"entries":[null]}"""));
    }

    private string? Check(AuditReceipt receipt, ProvenEntry entry) => (receipt with { Entries = [entry] }).Check([_key.PublicKey]);

    private async Task<AuditReceipt> Receipt(params long[] indexes)
    {
        var log = _audit[2];
        var entries = new List<ProvenEntry>();
        foreach (var index in indexes)
        {
            var proof = await new TileReader(log.Tiles).Inclusion(index, log.Writer.Size, TestContext.Current.CancellationToken);
            entries.Add(
                new(log.Rows[index], proof, log.Personal.TryGetValue(index, out var personal) ? SaltedPersonal.Decode(personal) : null)
            );
        }

        return new(_key.Sign(_audit.Head(TimeSpan.FromMinutes(1))), [.. entries]);
    }
}
