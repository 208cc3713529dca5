using System.IO.Hashing;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Grains.Crawling.Traps;

/// <summary>
/// Finds URLs of one shape (<see cref="UrlShape"/>) of which a host makes up more and more, and none of which brings anything: a
/// calendar, or
/// facets without end. It is told of each page that was fetched, and remembers a bounded number of shapes.
/// </summary>
/// <remarks>
/// A page brings something if its title, digits left out, is new among the pages of its shape, or if it leads to a URL of another shape
/// that
/// was not known. A shape is a trap when, of <see cref="MinPages"/> pages or more, nearly all of the last <see cref="Window"/> brought
/// nothing
/// but further URLs of their own shape. So a list of items is none, nor a wiki, nor a set of pages that comes to its end.
/// </remarks>
internal sealed class TrapDetector
{
    /// <summary>Pages of a shape before it may be a trap.</summary>
    public const int MinPages = 100;

    /// <summary>Pages that are looked at.</summary>
    public const int Window = 50;

    /// <summary>Of the last pages so many may bring something, and so many may lead to no further URL of the shape.</summary>
    public const int MaxExceptions = 5;

    /// <summary>Shapes that are watched; those that come later are not.</summary>
    private const int MaxShapes = 1_000;

    /// <summary>Titles of a shape. With more it is no trap.</summary>
    private const int MaxTitles = 256;

    private const ulong WindowBits = (1UL << Window) - 1;

    private readonly Dictionary<string, Facts> _shapes = new(StringComparer.Ordinal);

    /// <summary>Takes a page that was fetched; true when its shape turns out to be a trap by it.</summary>
    /// <param name="title">Null: it has none.</param>
    /// <param name="newOfShape">URLs of its own shape that it leads to and that were not known.</param>
    /// <param name="newOfOthers">All others of its host that were not known.</param>
    public bool Observe(string shape, string? title, int newOfShape, int newOfOthers)
    {
        if (!_shapes.TryGetValue(shape, out var facts))
        {
            if (_shapes.Count == MaxShapes)
            {
                return false;
            }

            _shapes.Add(shape, facts = new());
        }

        return facts.Add(title, newOfShape, newOfOthers);
    }

    private sealed class Facts
    {
        private HashSet<ulong>? _titles = [];
        private long _pages;
        private ulong _brought;
        private ulong _grew;
        private bool _isTrap;

        public bool Add(string? title, int newOfShape, int newOfOthers)
        {
            _pages++;
            var isNewTitle = IsNew(title);
            _brought = ((_brought << 1) | (isNewTitle || newOfOthers > 0 ? 1UL : 0)) & WindowBits;
            _grew = ((_grew << 1) | (newOfShape > 0 ? 1UL : 0)) & WindowBits;
            if (
                _isTrap
                || _pages < MinPages
                || BitOperations.PopCount(_brought) > MaxExceptions
                || BitOperations.PopCount(_grew) < Window - MaxExceptions
            )
            {
                return false;
            }

            return _isTrap = true;
        }

        private bool IsNew(string? title)
        {
            if (title is null || _titles is null)
            {
                return title is not null;
            }

            var words = string.Concat(title.Where(c => !char.IsDigit(c)));
            var isNew = _titles.Add(XxHash3.HashToUInt64(MemoryMarshal.AsBytes(words.AsSpan())));
            _titles = _titles.Count > MaxTitles ? null : _titles;
            return isNew;
        }
    }
}
