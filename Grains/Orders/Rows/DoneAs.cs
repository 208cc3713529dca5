namespace Grains.Orders.Rows;

/// <summary>What a subscriber that has a channel did with a change that it is through with.</summary>
public enum DoneAs
{
    /// <summary>Not told apart: subscribers without a channel.</summary>
    Done,

    /// <summary>It was told to the other side, and taken.</summary>
    Delivered,

    /// <summary>Nobody was told, for the reason given: the customer does not want it, the address is suppressed.</summary>
    Suppressed,

    /// <summary>It was never meant for this one: it is no notification, and is not counted as one.</summary>
    Filtered,
}
