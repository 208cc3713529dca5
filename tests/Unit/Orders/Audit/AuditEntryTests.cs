using CsCheck;
using Grains.Orders.Audit;
using Grains.Orders.Rows;
using Xunit;

namespace Unit.Orders.Audit;

public sealed class AuditEntryTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 23, 9, 30, 0, TimeSpan.FromHours(1));
    private static readonly PersonalPart Person = new("c-17", "ada@example.org", "en", "Leave it with the neighbour.");
    private static readonly byte[] Salt = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    [Fact]
    public void AnEntrysBytesAreTheseOnEveryMachineAndInEveryVersion()
    {
        var entry = Entry() with { PersonalHash = null, Payload = new byte[] { 0xab, 0xcd } };

        Assert.Equal(
            "01"
                + "01"
                + "00000003"
                + "0000000000000007"
                + "0000000000000009"
                + "00000003"
                + "6f2d31"
                + "0000000000000002"
                + "00000004"
                + "70616964"
                + At.UtcTicks.ToString("x16", System.Globalization.CultureInfo.InvariantCulture)
                + "00"
                + "00000002"
                + "abcd",
            Convert.ToHexStringLower(entry.Encode())
        );
        Assert.Equal(MerkleHash.Leaf(entry.Encode()), entry.Leaf());
    }

    [Fact]
    public void AnEntryIsReadAsItWasWritten() =>
        Gen.Select(
                Gen.Byte,
                Gen.Int[0, int.MaxValue],
                Gen.Long[0, long.MaxValue],
                Gen.Long[0, long.MaxValue],
                Gen.String[Gen.Char['\u0020', '\ud7ff'], 0, 100],
                Gen.Byte.Array[0, 200],
                Gen.Bool
            )
            .Sample(
                (kind, partition, index, version, text, payload, isPersonal) =>
                {
                    var entry = new AuditEntry
                    {
                        Kind = (AuditEntryKind)kind,
                        Partition = partition,
                        Index = index,
                        Revision = version / 2,
                        OrderId = text,
                        Version = version,
                        Type = text.Length > 20 ? text[..20] : text,
                        At = At.AddTicks(index % 1_000_000_007),
                        PersonalHash = isPersonal ? MerkleHash.Leaf(payload) : null,
                        Payload = payload,
                    };

                    var read = AuditEntry.Decode(entry.Encode());

                    Assert.Equal(entry with { Payload = default, At = entry.At.ToUniversalTime() }, read with { Payload = default });
                    Assert.Equal(payload, read.Payload.ToArray());
                    Assert.Equal(entry.Encode(), read.Encode());
                }
            );

    [Fact]
    public void FlippingAnyBitOfAnEntryChangesItsLeafAndIsReadAsAnotherEntryOrNone()
    {
        var bytes = Entry().Encode();
        var leaf = MerkleHash.Leaf(bytes);
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            byte[] changed = [.. bytes];
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.NotEqual(leaf, MerkleHash.Leaf(changed));
            if (Decoded(changed) is { } other)
            {
                Assert.Equal(changed, other.Encode());
            }
        }
    }

    [Fact]
    public void BytesThatAreTooFewOrTooManyAreNoEntry()
    {
        var bytes = Entry().Encode();
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.Null(Decoded(bytes[..length]));
        }

        Assert.Null(Decoded([.. bytes, 0]));
        Assert.Equal(
            "An audit entry is damaged: it has the format 2; this program reads format 1 (at byte 1 of 1).",
            Assert.Throws<FormatException>(() => AuditEntry.Decode([2])).Message
        );
    }

    [Fact]
    public void WhatIsAcceptedIsWrittenTheSameWayAgainWhateverTheBytes() =>
        Gen.Select(Gen.Int[0, 10_000], Gen.Byte, Gen.Int[0, 10_000], Gen.Byte)
            .Sample(
                (at, value, otherAt, otherValue) =>
                {
                    var bytes = Entry().Encode();
                    bytes[at % bytes.Length] = value;
                    bytes[otherAt % bytes.Length] = otherValue;
                    if (Decoded(bytes) is { } entry)
                    {
                        Assert.Equal(bytes, entry.Encode());
                    }
                }
            );

    [Fact]
    public void AnEntryThatBreaksALimitIsRefusedByName()
    {
        Assert.Contains(
            "order id has 501 bytes",
            Assert.Throws<ArgumentException>(() => (Entry() with { OrderId = new string('x', 501) }).Encode()).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "surrogate",
            Assert.Throws<ArgumentException>(() => (Entry() with { Type = "\ud800" }).Encode()).Message,
            StringComparison.Ordinal
        );
        Assert.Throws<ArgumentOutOfRangeException>(() => (Entry() with { Index = -1 }).Encode());
        Assert.Throws<ArgumentOutOfRangeException>(() => (Entry() with { Payload = new byte[AuditEntry.MaxPayloadBytes + 1] }).Encode());
    }

    [Fact]
    public void AnOrdersPartIsReadAsItWasWritten()
    {
        var order = Order();

        Assert.Equal(order, AuditedOrder.Decode(order.Encode()));
        Assert.Equal(order, AuditedOrder.Decode(AuditEntry.Decode(Entry().Encode()).Payload.Span));
        Assert.Throws<FormatException>(() => AuditedOrder.Decode(order.Encode().AsSpan(1)));
        Assert.Throws<FormatException>(() => AuditedOrder.Decode([.. order.Encode(), 0]));
    }

    [Fact]
    public void EveryFieldOfEveryLineIsInTheLinesHash()
    {
        AuditedLine[] lines = [new("A", 1, 200), new("B", 2, 300)];
        var hashes = new[]
        {
            AuditedOrder.HashLines(lines),
            AuditedOrder.HashLines([lines[1], lines[0]]),
            AuditedOrder.HashLines([lines[0]]),
            AuditedOrder.HashLines([]),
            AuditedOrder.HashLines([lines[0], lines[1] with { Sku = "C" }]),
            AuditedOrder.HashLines([lines[0], lines[1] with { Quantity = 3 }]),
            AuditedOrder.HashLines([lines[0], lines[1] with { Price = 301 }]),
        };

        Assert.Equal(hashes.Length, hashes.Distinct().Count());
        Assert.Equal(hashes[0], AuditedOrder.HashLines([.. lines]));
    }

    [Fact]
    public void APersonalPartIsReadAsItWasWrittenAndGivesTheSameCommitment()
    {
        foreach (var part in (PersonalPart[])[Person, new("c-17"), Person with { Notes = "" }])
        {
            var salted = SaltedPersonal.Of(part);
            var read = SaltedPersonal.Decode(salted.Encode());

            Assert.Equal(part, read.Part);
            Assert.Equal(salted.Commitment(), read.Commitment());
        }

        Assert.Throws<FormatException>(() => SaltedPersonal.Decode([]));
        Assert.Throws<ArgumentException>(() => SaltedPersonal.Of(Person, Salt.AsSpan(1)));
    }

    [Fact]
    public void EachFieldOfThePersonalPartAndTheSaltAreInTheCommitment()
    {
        var commitments = new[]
        {
            SaltedPersonal.Of(Person, Salt),
            SaltedPersonal.Of(Person with { Customer = "c-18" }, Salt),
            SaltedPersonal.Of(Person with { EMail = null }, Salt),
            SaltedPersonal.Of(Person with { EMail = "" }, Salt),
            SaltedPersonal.Of(Person with { Language = "de" }, Salt),
            SaltedPersonal.Of(Person with { Notes = "." }, Salt),
            SaltedPersonal.Of(Person, [.. Salt[1..], 0]),
        }
            .Select(salted => salted.Commitment())
            .ToList();

        Assert.Equal(commitments.Count, commitments.Distinct().Count());
        Assert.Equal(commitments[0], SaltedPersonal.Of(Person, Salt).Commitment());
    }

    [Fact]
    public void TwoEntriesOfOnePersonDoNotShowThatTheyAre() =>
        Assert.NotEqual(SaltedPersonal.Of(Person).Commitment(), SaltedPersonal.Of(Person).Commitment());

    [Fact]
    public void NothingPersonalIsInALeaf()
    {
        var text = System.Text.Encoding.UTF8.GetString(Entry().Encode());
        foreach (var personal in (string[])[Person.Customer, Person.EMail!, Person.Notes!])
        {
            Assert.DoesNotContain(personal, text, StringComparison.Ordinal);
        }
    }

    private static AuditedOrder Order() => new("paid", "EUR", 800, AuditedOrder.HashLines([new("A", 1, 200), new("B", 2, 300)]));

    private static AuditEntry Entry() =>
        AuditEntry.OfOrder(3, 7, 9, "o-1", 2, "paid", At, Order(), SaltedPersonal.Of(Person, Salt).Commitment());

    private static AuditEntry? Decoded(byte[] bytes)
    {
        try
        {
            return AuditEntry.Decode(bytes);
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
