using Grains.Orders.Audit;
using Xunit;

namespace Unit.Orders.Audit;

public sealed class AuditRowsTests
{
    [Fact]
    public void PartsAreReadAsTheyWereWritten()
    {
        byte[]?[] parts =
        [
            [1, 2],
            null,
            [],
            [3],
        ];
        Assert.Equal(parts, AuditRows.Read(AuditRows.Write(parts)));
    }

    [Theory]
    [InlineData(new byte[] { 0, 0, 0, 1, 7, 0, 0, 0, 9, 1 })]
    [InlineData(new byte[] { 0, 0, 0, 1, 7, 0, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 1, 7, 127, 255, 255, 255, 1 })]
    public void WhatIsCutOffIsLeftOut(byte[] row) => Assert.Equal([7], Assert.Single(AuditRows.Read(row))!);
}
