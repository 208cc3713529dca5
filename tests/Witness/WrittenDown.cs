using System.Globalization;
using System.Text;
using Grains.Interfaces.Orders;
using Grains.Orders.Consumers;
using Grains.Storage;

namespace Witness;

/// <summary>
/// Another subscriber, with a file beside that outlives the process: <c>g</c> for each change that it was given, <c>c</c> for each that was
/// in a commit when that was durable, a line each:
/// letter, order, version, revision, ticks of the change, ticks of now.
/// </summary>
internal sealed class WrittenDown(IOrderSubscriber inner, string path, TimeProvider clock)
    : IOrderProjector,
        IOrderNoteTaker,
        IErasingSubscriber,
        IDisposable
{
    private readonly FileStream _file = new(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
    private readonly List<OrderChange> _filled = [];

    // A line of its own, whatever the process before was killed at: else what it wrote of its last line would spoil the first one here.
    private readonly StringBuilder _lines = new("\n");

    private IOrderProjector? Projector => inner as IOrderProjector;

    public ReadOnlyMemory<byte> State => Projector?.State ?? ReadOnlyMemory<byte>.Empty;

    public ValueTask Open(ISubscriberStore store, ReadOnlyMemory<byte> state, CancellationToken cancel) =>
        Projector?.Open(store, state, cancel) ?? ValueTask.CompletedTask;

    public async ValueTask<DeliveryResult> Handle(Handling handling, CancellationToken cancel)
    {
        Add('g', handling.Change);
        var handled = await inner.Handle(handling, cancel);
        return handled.Outcome switch
        {
            DeliveryOutcome.Done when handled.Fill is { } fill => DeliveryResult.Done(commit => fill(commit) && Filled(handling.Change)),
            DeliveryOutcome.Done => DeliveryResult.Done(handled.Rows, () =>
            {
                handled.Filled?.Invoke();
                Filled(handling.Change);
            }),
            _ => handled,
        };
    }

    public DeliveryResult Record(OrderNote note) => ((IOrderNoteTaker)inner).Record(note);

    public void Seal(CommitBuilder commit)
    {
        Projector?.Seal(commit);
        Write(); // Before the commit is sent: what is durable was written down as given, whenever the process dies.
        var changes = _filled.ToList();
        _filled.Clear();
        commit.WhenCommitted(() =>
        {
            changes.ForEach(change => Add('c', change));
            Write();
        });
    }

    public void Dispose() => _file.Dispose();

    public ValueTask<DeliveryResult> Erase(IReadOnlyCollection<OrderId> orders, DateTimeOffset now, CancellationToken cancel) =>
        (inner as IErasingSubscriber)?.Erase(orders, now, cancel) ?? new(DeliveryResult.Done());

    private bool Filled(OrderChange change)
    {
        _filled.Add(change);
        return true;
    }

    private void Write()
    {
        if (_lines.Length > 0)
        {
            _file.Write(Encoding.ASCII.GetBytes(_lines.ToString()));
            _lines.Clear();
        }
    }

    private void Add(char letter, OrderChange change) =>
        _lines.Append(
            CultureInfo.InvariantCulture,
            $"{letter} {change.OrderId} {change.Version} {change.Revision} {change.At.UtcTicks} {clock.GetUtcNow().UtcTicks}\n"
        );
}
