using System.Collections.Immutable;
using System.Text.Json;

namespace Grains.Interfaces.Orders;

/// <summary>Two heads of the audit as they were printed, or one.</summary>
/// <param name="Newer">Null: a head that is signed now.</param>
public sealed record AskConsistencyForm(JsonElement Older, JsonElement? Newer = null)
{
    /// <summary>Of a body: two heads.</summary>
    public const int MaxBytes = 2 * IAuditGrain.MaxHeadLength;
}

/// <param name="Checkpoints">Signed notes, by partition.</param>
public sealed record CheckpointListForm(ImmutableArray<string> Checkpoints);
