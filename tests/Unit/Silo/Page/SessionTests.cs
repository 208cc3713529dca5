using System.Xml.Linq;
using Doubles.Storage;
using Microsoft.Extensions.Time.Testing;
using Silo.Page.Sessions;
using Xunit;

namespace Unit.Silo.Page;

public sealed class SessionTests
{
    private readonly TableStoreInMemory _store = new();
    private readonly FakeTimeProvider _clock = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void AKeyOfDataProtectionIsReadByWhoeverHasTheStore()
    {
        new TableXmlRepository(_store).StoreElement(new XElement("key", new XAttribute("id", "1")), "key-1");

        Assert.Equal("1", Assert.Single(new TableXmlRepository(_store).GetAllElements()).Attribute("id")?.Value);
    }

    [Fact]
    public async Task ALogoutElsewhereIsKnownHereSecondsLater()
    {
        using EndedSessions here = new(_store, _clock),
            elsewhere = new(_store, _clock);
        var session = Session("a");
        Assert.False(await here.Contains("a", Cancel));

        await elsewhere.Add(session, Cancel);

        Assert.True(await elsewhere.Contains("a", Cancel));
        _clock.Advance(EndedSessions.Staleness);
        Assert.True(await here.Contains("a", Cancel));
    }

    [Fact]
    public async Task ALogoutIsForgottenOnceTheSessionWouldHaveEndedAnyway()
    {
        using EndedSessions ended = new(_store, _clock),
            later = new(_store, _clock);
        await ended.Add(Session("a"), Cancel);
        _clock.Advance(BrowserSessions.Lifetime + TimeSpan.FromSeconds(1));
        await ended.Add(Session("b"), Cancel);

        Assert.False(await later.Contains("a", Cancel));
        Assert.True(await later.Contains("b", Cancel));
    }

    [Fact]
    public void AsManyViewersAreLetInAsMayBeAndTheNextWhenOneLeaves()
    {
        var viewers = new ViewerCount();
        Assert.All(Enumerable.Range(0, ViewerCount.Max), _ => Assert.True(viewers.TryEnter()));
        Assert.True(viewers.IsFull);
        Assert.False(viewers.TryEnter());

        viewers.Leave();

        Assert.True(viewers.TryEnter());
    }

    [Fact]
    public void ASessionIsTheSameOnTheOtherSideOfACircuit()
    {
        var session = Session("a");

        Assert.Equal(session, PageSession.Of(session.ToPrincipal()));
        Assert.Equal(PageSession.ThisMachine, PageSession.Of(PageSession.ThisMachine.ToPrincipal()));
    }

    private PageSession Session(string id) => new(id, "looks", "00", _clock.GetUtcNow() + BrowserSessions.Lifetime);
}
