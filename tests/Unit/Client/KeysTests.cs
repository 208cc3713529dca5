using Grains.Interfaces.Keys;
using Xunit;

namespace Unit.Client;

public sealed class KeysTests
{
    private readonly ConsoleInMemory _console = new();

    [Fact]
    public async Task AKeyIsShownOnceAndAloneOnTheOutput()
    {
        var printed = await _console.Run("keys", "add", "reports", "--role", "reader");

        Assert.Equal((0, "secret-of-reports\n"), (printed.Code, printed.Output));
        Assert.Contains("This is shown once.", printed.Error, StringComparison.Ordinal);
        Assert.Equal([new ApiKeyLine("reports", ApiRole.Reader, ConsoleInMemory.Start)], _console.Cluster.KnownKeys.Keys);
    }

    [Fact]
    public async Task AKeyCanBeReadByPrograms() =>
        Assert.Equal(
            """{"name":"reports","role":"operator","key":"secret-of-reports"}""" + "\n",
            (await _console.Run("keys", "add", "reports", "--role", "operator", "--json")).Output
        );

    [Fact]
    public async Task KeysAreListedWithoutSecrets()
    {
        await _console.Run("keys", "add", "reports", "--role", "reader");
        await _console.Run("keys", "add", "builds", "--role", "writer");

        Assert.Equal(
            ["key      role    made", "reports  reader  2026-03-01 12:00:00Z", "builds   writer  2026-03-01 12:00:00Z"],
            (await _console.Run("keys", "list")).Lines
        );
    }

    [Fact]
    public async Task KeysAreAnObjectALineForPrograms()
    {
        await _console.Run("keys", "add", "reports", "--role", "reader");
        await _console.Run("keys", "add", "builds", "--role", "writer");

        Assert.Equal(
            [
                """{"name":"reports","role":"reader","addedAt":"2026-03-01T12:00:00+00:00"}""",
                """{"end":{"count":1,"total":2,"more":true,"after":null}}""",
            ],
            (await _console.Run("keys", "list", "--limit", "1", "--json")).Lines
        );
    }

    [Fact]
    public async Task WithoutKeysItSaysWhatThatMeans() =>
        Assert.Equal(
            ["There is no key: HTTP is open to everybody on the silo's machine, and to nobody else."],
            (await _console.Run("keys", "list")).Lines
        );

    [Fact]
    public async Task ARevokedKeyIsGone()
    {
        await _console.Run("keys", "add", "reports", "--role", "reader");

        await _console.Run("keys", "add", "builds", "--role", "reader");

        Assert.Equal((0, "Key reports is revoked.\n", ""), Of(await _console.Run("keys", "revoke", "reports")));
        var (code, output, error) = Of(await _console.Run("keys", "revoke", "reports"));
        Assert.Equal((1, ""), (code, output));
        Assert.Contains("There is no key \"reports\"; \"keys list\" shows those that are known.", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RevokingTheLastKeySaysThatNothingIsOpenAndOpeningNeedsAWord()
    {
        await _console.Run("keys", "add", "reports", "--role", "reader");

        Assert.Equal(
            [
                "Key reports is revoked.",
                "It was the last: HTTP and gRPC stay closed to everybody until another is made. \"keys open\" opens them to "
                    + "everybody on the silo's machine.",
            ],
            (await _console.Run("keys", "revoke", "reports")).Lines
        );
        Assert.Equal(
            [
                "There is no key any more: HTTP is closed to everybody until one is made. \"keys open\" opens it to everybody "
                    + "on the silo's machine.",
            ],
            (await _console.Run("keys", "list")).Lines
        );
        Assert.Equal((2, ""), (await _console.Run("keys", "open") is var unasked ? (unasked.Code, unasked.Output) : default));
        Assert.Equal(
            (0, "HTTP and gRPC are open to everybody on the silo's machine, and to nobody else.\n", ""),
            Of(await _console.Run("keys", "open", "--yes"))
        );
    }

    [Fact]
    public async Task WhileThereAreKeysNothingIsOpened()
    {
        await _console.Run("keys", "add", "reports", "--role", "reader");
        Assert.Equal(
            (1, "", "There are keys, so HTTP stays closed without one; \"keys list\" shows them. Revoke them first.\n"),
            Of(await _console.Run("keys", "open", "--yes"))
        );
    }

    [Theory]
    [InlineData("keys", "add", "reports")]
    [InlineData("keys", "add", "reports", "--role", "king")]
    [InlineData("keys", "add", "--role", "reader")]
    public async Task ARoleAndANameAreNeeded(params string[] args) => Assert.Equal(2, (await _console.Run(args)).Code);

    private static (int, string, string) Of(Printed printed) => (printed.Code, printed.Output, printed.Error);
}
