using System.Collections.Immutable;

namespace Structure;

/// <summary>The folders of one assembly and their arrows: an arrow from A to B says that a type in A names a type in B.</summary>
public sealed class FolderGraph
{
    private readonly SortedDictionary<string, SortedSet<string>> _arrows = new(StringComparer.Ordinal);

    /// <param name="uses">What <see cref="AssemblyReader.Read"/> gave for one assembly.</param>
    /// <param name="root">Namespaces outside of it are no folders.</param>
    public FolderGraph(IEnumerable<TypeUse> uses, string root)
    {
        foreach (var use in uses)
        {
            var arrows = Node(use.Folder);
            if (use.Folder != use.UsedFolder && AssemblyReader.IsBelow(use.UsedFolder, root))
            {
                Node(use.UsedFolder);
                arrows.Add(use.UsedFolder);
            }
        }

        Cycles = FindCycles();
    }

    public IReadOnlyCollection<string> Folders => _arrows.Keys;

    /// <summary>Pairs of folders of which the first names the second.</summary>
    public int Arrows => _arrows.Values.Sum(to => to.Count);

    /// <summary>The strongly connected components with more than one folder: in each, every folder reaches every other. Sorted.</summary>
    public ImmutableArray<ImmutableArray<string>> Cycles { get; }

    private SortedSet<string> Node(string folder)
    {
        if (!_arrows.TryGetValue(folder, out var arrows))
        {
            _arrows[folder] = arrows = new(StringComparer.Ordinal);
        }

        return arrows;
    }

    /// <summary>Tarjan's algorithm (SIAM Journal on Computing 1, 1972).</summary>
    private ImmutableArray<ImmutableArray<string>> FindCycles()
    {
        var index = new Dictionary<string, int>();
        var low = new Dictionary<string, int>();
        var stack = new Stack<string>();
        var onStack = new HashSet<string>();
        var components = new List<ImmutableArray<string>>();
        foreach (var folder in _arrows.Keys)
        {
            if (!index.ContainsKey(folder))
            {
                Visit(folder);
            }
        }

        return [.. components.Where(component => component.Length > 1).OrderBy(component => component[0], StringComparer.Ordinal)];

        void Visit(string folder)
        {
            index[folder] = low[folder] = index.Count;
            stack.Push(folder);
            onStack.Add(folder);
            foreach (var next in _arrows[folder])
            {
                if (!index.TryGetValue(next, out var earlier))
                {
                    Visit(next);
                    low[folder] = Math.Min(low[folder], low[next]);
                }
                else if (onStack.Contains(next))
                {
                    low[folder] = Math.Min(low[folder], earlier);
                }
            }

            if (low[folder] != index[folder])
            {
                return;
            }

            var component = new SortedSet<string>(StringComparer.Ordinal);
            string member;
            do
            {
                member = stack.Pop();
                onStack.Remove(member);
                component.Add(member);
            } while (member != folder);

            components.Add([.. component]);
        }
    }
}
