using CsCheck;
using Grains.Crawling.Frontier;
using Xunit;

namespace Unit.Crawling;

public sealed class KeyWindowTests
{
    private const int Capacity = 8;
    private const int PageSize = 4;

    [Fact]
    public void NothingIsLostNothingComesTwiceAndTheFirstComesFirst() =>
        Gen.Int[0, 999]
            .Array[1, 200]
            .Sample(
                numbers =>
                {
                    var run = new Run();
                    foreach (var number in numbers)
                    {
                        run.Step(number % 10, number / 10);
                    }

                    run.Drain();
                },
                iter: 20_000
            );

    [Fact]
    public void ARowReadWhileItsEntryIsOutDoesNotComeTwice()
    {
        var window = new KeyWindow(Capacity);
        window.Expect(Entry(1));
        window.BeginLoad();
        window.EndLoad([Entry(1)], isLast: true); // The commit is in the store, its caller has not heard of it yet.

        Assert.Null(window.First);
        window.Add(Entry(1));
        window.Take(window.First!);

        Assert.Null(window.First);
    }

    [Fact]
    public void ARowThatWentWhileItWasReadDoesNotComeBack()
    {
        var window = new KeyWindow(Capacity);
        window.Take(Entry(1));
        window.BeginLoad();
        window.Forget(Entry(1));
        window.EndLoad([Entry(1)], isLast: true);

        Assert.Null(window.First);
    }

    [Fact]
    public void EntriesDroppedWhileOthersAreReadAreReadAgain()
    {
        var window = new KeyWindow(capacity: 2);
        window.BeginLoad();
        window.EndLoad([Entry(10)], isLast: false);
        window.Take(Entry(10));
        window.Add(Entry(10));
        window.Take(Entry(10));
        window.BeginLoad();
        window.Add(Entry(10));
        window.Add(Entry(1));
        window.Add(Entry(2)); // 10 is one too many and stays in its row.
        window.EndLoad([], isLast: true);

        Assert.Equal(Entry(2).Key, window.LoadedTo);
    }

    [Fact]
    public void AReadThatFailedMayBeTriedAgain()
    {
        var window = new KeyWindow(Capacity);
        window.BeginLoad();
        window.Add(Entry(1));
        window.FailLoad();

        Assert.True(window.WantsMore);
        window.BeginLoad();
        window.EndLoad([Entry(1)], isLast: true);

        Assert.Equal(Entry(1), window.First);
    }

    private static QueueEntry Entry(int number) => new(QueueEntry.Ready(number), $"http://a/{number}", Depth: 0, Parent: null, Attempts: 0);

    /// <summary>A window beside the naive queue: the rows in order, and which of them are out.</summary>
    private sealed class Run
    {
        private readonly KeyWindow _window = new(Capacity);
        private readonly SortedSet<int> _rows = [];
        private readonly HashSet<int> _used = [];
        private readonly List<int> _coming = [];
        private readonly List<int> _out = [];
        private readonly List<int> _going = [];
        private (List<QueueEntry> Rows, bool IsLast)? _reading;

        public void Step(int what, int number)
        {
            switch (what)
            {
                case 0 or 1 or 2: // New: expected, then in the store, then heard of.
                    if (_used.Add(number))
                    {
                        _window.Expect(Entry(number));
                        _rows.Add(number);
                        _coming.Add(number);
                    }

                    break;
                case 3 or 4:
                    Pick(_coming, number, picked => _window.Add(Entry(picked)));
                    break;
                case 5 or 6:
                    TakeFirst();
                    break;
                case 7:
                    Pick(_out, number, picked =>
                    {
                        if (number % 2 == 0)
                        {
                            _window.Add(Entry(picked));
                            return;
                        }

                        _rows.Remove(picked); // Gone from the store, and nobody has heard of it yet.
                        _going.Add(picked);
                    });
                    break;
                case 8:
                    Pick(_going, number, picked => _window.Forget(Entry(picked)));
                    break;
                default:
                    Load();
                    break;
            }

            Assert.InRange(_window.Count, 0, Capacity);
        }

        public void Drain()
        {
            while (_coming.Count > 0)
            {
                Pick(_coming, 0, picked => _window.Add(Entry(picked)));
            }

            while (_going.Count > 0)
            {
                Pick(_going, 0, picked => _window.Forget(Entry(picked)));
            }

            while (_out.Count > 0)
            {
                Pick(_out, 0, picked => _window.Add(Entry(picked)));
            }

            var left = _rows.ToList();
            var got = new List<int>();
            for (var i = 0; i < 1000 && (_window.First is not null || _window.WantsMore || _reading is not null); i++)
            {
                while (_window.First is { } first)
                {
                    got.Add(Number(first));
                    _window.Take(first);
                    _rows.Remove(Number(first));
                    _window.Forget(first);
                }

                Load();
            }

            Assert.Equal(left, got);
        }

        private void TakeFirst()
        {
            if (_window.First is not { } first)
            {
                return;
            }

            var number = Number(first);
            Assert.Equal(_rows.Except(_coming).Except(_out).Min(), number);
            _window.Take(first);
            _out.Add(number);
        }

        private void Load()
        {
            if (_reading is { } read)
            {
                _reading = null;
                _window.EndLoad(read.Rows, read.IsLast);
            }
            else if (_window.WantsMore)
            {
                var after = _window.LoadedTo!;
                var rows = _rows.Select(Entry).Where(entry => string.CompareOrdinal(entry.Key, after) > 0).Take(PageSize).ToList();
                _reading = (rows, rows.Count < PageSize);
                _window.BeginLoad();
            }
        }

        private static void Pick(List<int> from, int number, Action<int> then)
        {
            if (from.Count > 0)
            {
                var picked = from[number % from.Count];
                from.Remove(picked);
                then(picked);
            }
        }

        private static int Number(QueueEntry entry) =>
            int.Parse(entry.Url.AsSpan("http://a/".Length), System.Globalization.CultureInfo.InvariantCulture);
    }
}
