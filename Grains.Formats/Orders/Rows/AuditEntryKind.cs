namespace Grains.Orders.Rows;

/// <summary>What an entry of the audit tells. Numbers are stored: never renumbered, never used again.</summary>
/// <remarks>The list is open: an entry of a kind that this version does not know is read, hashed and proven like any other.</remarks>
public enum AuditEntryKind : byte
{
    /// <summary>An order changed; the payload is an <c>AuditedOrder</c>.</summary>
    OrderChange = 1,

    /// <summary>What became of a delivery to a subscriber.</summary>
    DeliveryOutcome = 2,

    /// <summary>A dead letter was handed to its subscriber again.</summary>
    Replay = 3,

    /// <summary>Personal data was erased.</summary>
    Erase = 4,
}
