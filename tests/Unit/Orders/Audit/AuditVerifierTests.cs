using Grains.Orders.Audit;
using Xunit;

namespace Unit.Orders.Audit;

public sealed class AuditVerifierTests : IDisposable
{
    private readonly AuditKey _key = AuditKey.Create();
    private readonly AuditInMemory _audit = new();

    public void Dispose() => _key.Dispose();

    [Fact]
    public async Task AnAuditThatNobodyTouchedHolds()
    {
        _audit.Append(0, 1);
        _audit.Append(1, 256);
        _audit.Append(4, 1000);
        var older = Sign(1);
        _audit.Append(1, 300);
        _audit.Append(7, 5);
        var head = Sign(2);
        _audit.Append(4, 10); // Recorded since.

        var report = await Verify(older, head);

        Assert.True(report.Holds, string.Join('\n', report.Findings));
        Assert.Equal((4, 1 + 556 + 1010 + 5, 1 + 556 + 1000 + 5), (report.Partitions, report.Entries, report.Covered));
        Assert.Equal((0, 0), (report.Erased, report.VersionsNotChecked));
    }

    [Fact]
    public async Task AnAuditWithoutEntriesHolds()
    {
        Assert.True((await Verify(Sign(1))).Holds);
        Assert.True((await Verify()).Holds);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0, 700)]
    [InlineData(255, 700)]
    [InlineData(256, 700)]
    [InlineData(511, 512)]
    [InlineData(699, 700)]
    public async Task AnEntryThatWasChangedIsNamed(int index, int size)
    {
        _audit.Append(3, size);
        var head = Sign(1);
        _audit[3].Change(index, entry => entry with { At = entry.At.AddDays(1) });

        var finding = await Only(AuditFault.Changed, head);

        Assert.Equal((3, index, $"o-{index / 3}", (index % 3) + 1), (finding.Partition, finding.Index, finding.OrderId, finding.Version));
        Assert.Equal(
            $"Partition 3, entry {index} (order o-{index / 3}, version {(index % 3) + 1}) was changed: its hash is not the one "
                + $"that leads to the recorded root.",
            finding.What
        );
    }

    [Fact]
    public async Task OfTwoEntriesThatWereChangedTheFirstIsNamed()
    {
        _audit.Append(0, 700);
        var head = Sign(1);
        _audit[0].Change(600, entry => entry with { Type = "refunded" });
        _audit[0].Change(300, entry => entry with { Type = "refunded" });

        Assert.Equal(300, (await Only(AuditFault.Changed, head)).Index);
    }

    [Fact]
    public async Task AnEntryThatCannotBeReadIsNamed()
    {
        _audit.Append(0, 700);
        var head = Sign(1);
        _audit[0].Rows[400] = [9, 9, 9];

        var finding = await Only(AuditFault.Changed, head);

        Assert.Equal((400L, null), (finding.Index, finding.OrderId));
    }

    [Fact]
    public async Task AnEntryThatIsMissingIsNamed()
    {
        _audit.Append(0, 700);
        var head = Sign(1);
        _audit[0].Rows.Remove(400);

        var finding = await Only(AuditFault.Missing, head);

        Assert.Equal("Partition 0, entry 400 is missing; the next one stored is entry 401 (order o-133, version 3).", finding.What);
    }

    [Fact]
    public async Task AnEntryThatIsMissingIsNamedEvenWhenTheOthersMovedUp()
    {
        _audit.Append(0, 700);
        var head = Sign(1);
        var rows = _audit[0].Rows;
        for (var index = 400; index < 699; index++)
        {
            rows[index] = rows[index + 1];
        }

        rows.Remove(699);

        var finding = await Only(AuditFault.Missing, head);

        Assert.Equal(
            "Partition 0, entry 400 is missing; in its place stands the one recorded as entry 401 (order o-133, version 3).",
            finding.What
        );
    }

    [Fact]
    public async Task AnEntryChangedBeforeOneThatIsMissingIsTheFirst()
    {
        _audit.Append(0, 700);
        var head = Sign(1);
        _audit[0].Rows.Remove(690);
        _audit[0].Change(680, entry => entry with { Type = "refunded" });

        Assert.Equal(680, (await Only(AuditFault.Changed, head)).Index);
    }

    [Theory]
    [InlineData(10, 11)]
    [InlineData(10, 600)]
    public async Task EntriesThatWereExchangedAreNamed(int one, int other)
    {
        _audit.Append(0, 700);
        var head = Sign(1);
        var rows = _audit[0].Rows;
        (rows[one], rows[other]) = (rows[other], rows[one]);

        var finding = await Only(AuditFault.Reordered, head);

        Assert.Equal((one, $"o-{other / 3}", (other % 3) + 1), (finding.Index, finding.OrderId, finding.Version));
        Assert.EndsWith($"stands in this place but was recorded as entry {other}.", finding.What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnEntryFromAnotherPartitionIsNamed()
    {
        _audit.Append(0, 20);
        _audit.Append(1, 20);
        var head = Sign(1);
        _audit[1].Rows[7] = _audit[0].Rows[7];

        var finding = await Only(AuditFault.Reordered, head);

        Assert.Equal("Partition 1, entry 7 (order o-2, version 2) was recorded in partition 0, as its entry 7.", finding.What);
    }

    [Theory]
    [InlineData(700, 699)]
    [InlineData(700, 512)]
    [InlineData(700, 300)]
    [InlineData(700, 0)]
    public async Task AnAuditThatWasCutOffIsFoundThoughTilesAndCursorWereMadeToFit(int size, int left)
    {
        _audit.Append(0, size);
        var head = Sign(1);
        for (var index = left; index < size; index++)
        {
            _audit[0].Rows.Remove(index);
        }

        _audit[0].Rebuild();

        var finding = await Only(AuditFault.Truncated, head);

        Assert.Equal(left, finding.Index);
        Assert.Equal(
            $"Partition 0, entry {left} is missing and all after it are: the head of 2026-11-23T09:01:00Z has {size} entries, "
                + $"and {left} are stored.",
            finding.What
        );
    }

    [Fact]
    public async Task EntriesCutOffThatNoHeadCoversAreMissedByTheCursorsRow()
    {
        _audit.Append(0, 100);
        var head = Sign(1);
        _audit.Append(0, 20);
        _audit[0].Rows.Remove(119);

        Assert.Equal(119, (await Only(AuditFault.Truncated, head)).Index);
    }

    [Fact]
    public async Task AnEntryThatWasAddedIsNamed()
    {
        _audit.Append(0, 99);
        var head = Sign(1);
        _audit[0].Rows[99] = _audit[0].Entry(99, null).Encode();

        Assert.Equal(99, (await Only(AuditFault.Added, head)).Index);
    }

    [Fact]
    public async Task WhatIsRecordedDuringAVerificationIsLeftToTheNext()
    {
        _audit.Append(0, 300);
        var head = Sign(1);
        _audit.WhenEntriesAreRead = () => _audit.Append(0, 300);

        var report = await Verify(head);

        Assert.True(report.Holds, string.Join('\n', report.Findings));
        Assert.Equal(300, report.Entries);
        Assert.Equal(600, (await Verify(head)).Entries);
    }

    [Fact]
    public async Task ACursorRowThatWasPutBackIsFound()
    {
        _audit.Append(0, 100);
        var before = _audit[0].Frontier;
        _audit.Append(0, 200);
        var head = Sign(1);
        _audit[0].Frontier = before;

        Assert.Equal(
            "Partition 0: the cursor's row has 100 entries, and the head of 2026-11-23T09:01:00Z has 300: the row was put back.",
            (await Only(AuditFault.TileDamaged, head)).What
        );
    }

    [Fact]
    public async Task ACursorRowThatIsGoneIsFound()
    {
        _audit.Append(0, 100);
        var head = Sign(1);
        _audit[0].Frontier = null;

        Assert.Contains("the cursor's row has 0 entries", (await Only(AuditFault.TileDamaged, head)).What, StringComparison.Ordinal);
        Assert.Equal(0, (await Only(AuditFault.Added)).Index);
    }

    [Fact]
    public async Task WhereEntryAndTileWereBothChangedTheFirstDifferenceIsNamedAndSaidToBeUndecided()
    {
        _audit.Append(0, 1000);
        var head = Sign(1);
        _audit[0].Tiles.Rows[new TileId(0, 1).Key][(400 - 256) * 32] ^= 1;
        _audit[0].Change(300, entry => entry with { Type = "refunded" });

        var finding = await Only(AuditFault.Changed, head);

        Assert.Equal(
            "Partition 0, entry 300 (order o-100, version 1) is not what tile.0.00000000000001 says, and neither of them leads "
                + "to the recorded root.",
            finding.What
        );
    }

    [Fact]
    public async Task AnEntryChangedTogetherWithItsTileIsFoundWithinTheTile()
    {
        _audit.Append(0, 1000);
        var head = Sign(1);
        _audit[0].Change(300, entry => entry with { Type = "refunded" });
        ForgeTile(300);

        var finding = await Only(AuditFault.Changed, head);

        Assert.Equal((256L, "o-85", 2L), (finding.Index, finding.OrderId, finding.Version));
        Assert.Equal(
            "Partition 0, entry 256 (order o-85, version 2) or one of those after it, up to entry 511, was changed together "
                + "with its tile: their common hash is not the one in tile.1.00000000000000.",
            finding.What
        );
    }

    [Fact]
    public async Task AnEntryChangedWithEveryTileAndTheCursorIsFoundBetweenTheHeads()
    {
        _audit.Append(0, 500);
        var oldest = Sign(1);
        _audit.Append(0, 300);
        var older = Sign(2);
        _audit.Append(0, 300);
        var head = Sign(3);
        _audit[0].Change(600, entry => entry with { Type = "refunded" });
        _audit[0].Rebuild();

        var finding = await Only(AuditFault.OtherHistory, head, older, oldest);

        Assert.Equal(500, finding.Index);
        Assert.Equal(
            "Partition 0: entries 500 to 799 do not lead to the root that the head of 2026-11-23T09:02:00Z has for 800 entries. "
                + "One of them was changed, and every tile above it too.",
            finding.What
        );
    }

    [Fact]
    public async Task AHistoryRewrittenAndSignedAgainDoesNotHoldAgainstAHeadThatSomebodyKept()
    {
        _audit.Append(0, 700);
        var kept = Sign(1);
        _audit[0].Change(10, entry => entry with { Type = "refunded" });
        _audit[0].Rebuild();
        _audit.Append(0, 100);
        var forged = Sign(2);

        Assert.True((await Verify(forged)).Holds);
        Assert.Equal(AuditFault.OtherHistory, Assert.Single((await Verify(forged, kept)).Findings).Fault);
        Assert.Equal(AuditFault.OtherHistory, Assert.Single((await Heads(kept, forged)).Findings).Fault);
    }

    [Fact]
    public async Task AnOlderHeadIsTheBeginningOfTheNewerOneByTheTilesAlone()
    {
        _audit.Append(0, 700);
        _audit.Append(1, 3);
        var older = Sign(1);
        _audit.Append(0, 700);
        var newer = Sign(2);
        _audit[0].Tiles.ForgetReads();

        var report = await Heads(older, newer);

        Assert.True(report.Holds);
        Assert.Equal(2, report.Partitions);
        Assert.InRange(_audit[0].Tiles.Reads, 1, 4);
        _audit[0].Tiles.Rows.Clear();
        Assert.Equal(AuditFault.TileDamaged, Assert.Single((await Heads(older, newer)).Findings).Fault);
    }

    [Fact]
    public async Task ALogThatIsShorterUnderALaterHeadIsFound()
    {
        _audit.Append(0, 100);
        var older = Sign(1);
        var shorter = _key.Sign(new AuditHead(AuditInMemory.Start.AddMinutes(2), [new(0, 50, MerkleHash.Leaf([]))]));
        var none = _key.Sign(new AuditHead(AuditInMemory.Start.AddMinutes(2), []));

        Assert.Equal(
            "Partition 0 had 100 entries under the head of 2026-11-23T09:01:00Z, and has 50 under the later one of "
                + "2026-11-23T09:02:00Z: a log never shrinks.",
            Assert.Single((await Heads(older, shorter)).Findings).What
        );
        Assert.Equal(AuditFault.OtherHistory, Assert.Single((await Heads(older, none)).Findings).Fault);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0, 3)]
    [InlineData(1, 0)]
    public async Task ATileThatWasChangedIsToldFromAnEntryThatWas(int level, int index)
    {
        _audit.Append(0, 1000);
        var head = Sign(1);
        _audit[0].Tiles.Rows[new TileId(level, index).Key][40] ^= 1;

        var finding = await Only(AuditFault.TileDamaged, head);

        Assert.Contains($"tile.{level}.0000000000000{index} was changed", finding.What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TilesThatAreGoneDoNotKeepEntriesFromBeingProven()
    {
        _audit.Append(0, 1000);
        var head = Sign(1);
        _audit[0].Tiles.Rows.Clear();

        await Only(AuditFault.TileDamaged, head);
        Assert.Equal(1000, (await Verify(head)).Covered);
    }

    [Fact]
    public async Task AChangedEntryIsFoundThoughATileBeforeItIsDamagedToo()
    {
        _audit.Append(0, 1000);
        var head = Sign(1);
        _audit[0].Tiles.Rows[new TileId(0, 0).Key][40] ^= 1;
        _audit[0].Change(600, entry => entry with { Type = "refunded" });

        var report = await Verify(head);

        Assert.Equal([AuditFault.Changed, AuditFault.TileDamaged], report.Findings.Select(finding => finding.Fault));
        Assert.Equal(600, report.Findings[0].Index);
    }

    [Theory]
    [InlineData(0x01)]
    [InlineData(0x10)]
    [InlineData(0xff)]
    public async Task AnEntryThatIsChangedInAnyByteIsNamed(byte flip)
    {
        _audit.Append(0, 40);
        var head = Sign(1);
        var row = _audit[0].Rows[30];
        for (var i = 0; i < row.Length; i++)
        {
            row[i] ^= flip;
            var report = await Verify(head);
            Assert.Equal((AuditFault.Changed, 30L), (report.Findings[0].Fault, report.Findings[0].Index));
            row[i] ^= flip;
        }

        Assert.True((await Verify(head)).Holds);
    }

    [Fact]
    public async Task PersonalDataCanBeErasedAndTheAuditHolds()
    {
        _audit.Append(0, 600);
        var head = Sign(1);
        Assert.True(_audit[0].Personal.Remove(3) && _audit[0].Personal.Remove(4) && _audit[0].Personal.Remove(5));

        var report = await Verify(head);

        Assert.True(report.Holds);
        Assert.Equal((600, 3), (report.Covered, report.Erased));
    }

    [Fact]
    public async Task APersonalPartThatWasChangedIsNamedAndHidesNothingAfterIt()
    {
        _audit.Append(0, 600);
        var head = Sign(1);
        _audit[0].Personal[30] = SaltedPersonal.Of(new PersonalPart("somebody else")).Encode();
        _audit[0].Change(500, entry => entry with { Type = "refunded" });

        var report = await Verify(head);

        Assert.Equal(
            [(AuditFault.Changed, 500L), (AuditFault.PersonalChanged, 30L)],
            report.Findings.Select(finding => (finding.Fault, finding.Index!.Value))
        );
        _audit[0].Personal[30] = [1, 2, 3];
        Assert.Equal(AuditFault.PersonalChanged, (await Verify(head)).Findings[1].Fault);
    }

    [Theory]
    [InlineData(1, 3, "Partition 0, entry 1 (order o-0, version 3) is this order's version 3, and the one before it in the audit is 1.")]
    [InlineData(3, 2, "Partition 0, entry 3 (order o-1, version 2) is this order's version 2, and none before it is in the audit.")]
    [InlineData(2, 2, "Partition 0, entry 2 (order o-0, version 2) is this order's version 2, and the one before it in the audit is 2.")]
    public async Task AVersionThatWasNeverRecordedIsNamed(int index, int version, string what)
    {
        _audit.Append(0, 6);
        _audit[0].Change(index, entry => entry with { Version = version });
        _audit[0].Rebuild();

        Assert.Equal(what, (await Only(AuditFault.Sequence, Sign(1))).What);
    }

    [Fact]
    public async Task ARevisionThatFallsIsNamed()
    {
        _audit.Append(0, 6);
        _audit[0].Change(4, entry => entry with { Revision = 2 });
        _audit[0].Rebuild();

        Assert.Equal(
            "Partition 0, entry 4 (order o-1, version 2) tells of revision 2 after one of revision 4.",
            (await Only(AuditFault.Sequence, Sign(1))).What
        );
    }

    [Fact]
    public async Task OrdersBeyondTheMemoryAreCountedAndNotSuspected()
    {
        _audit.Append(0, 30);
        _audit[0].Change(29, entry => entry with { OrderId = "o-0", Version = 4 });
        _audit[0].Rebuild();

        var report = await new AuditVerifier(_audit, [_key.PublicKey], maxOrders: 2).Verify(
            [Sign(1)],
            TestContext.Current.CancellationToken
        );

        Assert.True(report.Holds, string.Join('\n', report.Findings));
        Assert.Equal(1, report.VersionsNotChecked);
    }

    [Fact]
    public async Task AHeadThatWasChangedOrSignedBySomebodyElseIsRefused()
    {
        _audit.Append(0, 6);
        var head = Sign(1);
        using var other = AuditKey.Create();

        Assert.Equal(
            AuditFault.Signature,
            Assert.Single((await Verify(head with { Head = _audit.Head(TimeSpan.FromMinutes(2)) })).Findings).Fault
        );
        Assert.Equal(
            $"The head of 2026-11-23T09:01:00Z says that it is signed with the key {other.PublicKey.Id}; given were: {_key.PublicKey.Id}.",
            Assert.Single((await Verify(other.Sign(head.Head))).Findings).What
        );
        Assert.Equal(AuditFault.Signature, Assert.Single((await Heads(head, head with { Algorithm = "none" })).Findings).Fault);
    }

    [Fact]
    public async Task ACursorRowThatCannotBeReadIsNamedAndTheHeadDecides()
    {
        _audit.Append(0, 6);
        var head = Sign(1);
        _audit[0].Frontier = [1, 2, 3];

        Assert.Contains("cursor's row", (await Only(AuditFault.TileDamaged, head)).What, StringComparison.Ordinal);
    }

    private SignedAuditHead Sign(int minutes) => _key.Sign(_audit.Head(TimeSpan.FromMinutes(minutes)));

    private Task<AuditReport> Verify(params SignedAuditHead[] heads) =>
        new AuditVerifier(_audit, [_key.PublicKey]).Verify(heads, TestContext.Current.CancellationToken);

    private Task<AuditReport> Heads(SignedAuditHead older, SignedAuditHead newer) =>
        new AuditVerifier(_audit, [_key.PublicKey]).VerifyHeads(older, newer, TestContext.Current.CancellationToken);

    private async Task<AuditFinding> Only(AuditFault fault, params SignedAuditHead[] heads)
    {
        var report = await Verify(heads);
        Assert.False(report.Holds);
        var finding = Assert.Single(report.Findings);
        Assert.Equal(fault, finding.Fault);
        return finding;
    }

    private void ForgeTile(int index) =>
        MerkleHash.Leaf(_audit[0].Rows[index]).CopyTo(_audit[0].Tiles.Rows[new TileId(0, index / 256).Key].AsSpan(index % 256 * 32));
}
