using System.Globalization;
using System.Text;
using Grains.Storage;
using Silo.Storage;

// A process that writes to the embedded stores and says on its output what they acknowledged, made to be killed and traced by
// tests/EndToEnd.
//   rows FOLDER CALLERS COUNT    each caller makes COUNT commits of four rows (0: without end): "ack CALLER NUMBER;"
//   raise FOLDER TIMES           raises one counter by compare-and-swap: "done;"
//   blobs FOLDER COUNT           puts COUNT blobs: "ack 0 NUMBER;"
// Each line is one write to the output, after the store's answer.
var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), bufferSize: 256)
{
    AutoFlush = true,
};
var gate = new Lock();
switch (args)
{
    case ["rows", var folder, var callers, var count]:
        await using (var store = SqliteTableStore.Open(folder))
        {
            await Task.WhenAll(Enumerable.Range(0, Number(callers)).Select(caller => Rows(store, caller, Number(count))));
        }

        return 0;

    case ["raise", var folder, var times]:
        await using (var store = SqliteTableStore.Open(folder))
        {
            await Raise(store, Number(times));
        }

        Say("done;\n");
        return 0;

    case ["blobs", var folder, var count]:
        using (var store = DirectoryBlobStore.Open(folder))
        {
            for (var number = 1; number <= Number(count); number++)
            {
                await store.Put($"traced/{number}", new byte[10_000]);
                Say($"ack 0 {number};\n");
            }
        }

        return 0;

    default:
        Console.Error.WriteLine("Usage: StoreWriter rows FOLDER CALLERS COUNT | raise FOLDER TIMES | blobs FOLDER COUNT");
        return 2;
}

async Task Rows(SqliteTableStore store, int caller, int count)
{
    var partition = $"caller-{caller}";
    var head = await store.Get("ledger", partition, "head");
    var last = head is null ? 0 : Number(Encoding.UTF8.GetString(head.Payload.Span));
    var etag = head?.ETag;
    for (var number = last + 1; count == 0 || number <= last + count; number++)
    {
        var payload = Encoding.UTF8.GetBytes($"{number}");
        var result = await store.Commit(
            "ledger",
            partition,
            [
                etag is null ? RowChange.Insert("head", payload) : RowChange.Replace("head", payload, etag),
                RowChange.Insert($"a.{number:d9}", payload),
                RowChange.Insert($"b.{number:d9}", payload),
                RowChange.Insert($"c.{number:d9}", payload),
            ]
        );
        if (result.Outcome != CommitOutcome.Committed)
        {
            throw new InvalidOperationException($"Commit {number} of caller {caller} was answered {result.Outcome}.", result.Cause);
        }

        etag = result.ETags[0];
        Say($"ack {caller} {number};\n");
    }
}

static async Task Raise(SqliteTableStore store, int times)
{
    while (times > 0)
    {
        var row = await store.Get("counters", "counters", "counter");
        var payload = Encoding.UTF8.GetBytes(row is null ? "1" : $"{Number(Encoding.UTF8.GetString(row.Payload.Span)) + 1}");
        var change = row is null ? RowChange.Insert("counter", payload) : RowChange.Replace("counter", payload, row.ETag);
        var result = await store.Commit("counters", "counters", [change]);
        switch (result.Outcome)
        {
            case CommitOutcome.Committed:
                times--;
                break;
            case CommitOutcome.Unknown:
                throw new InvalidOperationException("The outcome is unknown.", result.Cause);
        }
    }
}

void Say(string line)
{
    lock (gate)
    {
        output.Write(line);
    }
}

static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
