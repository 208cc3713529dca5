using Grains.Orders.Deliveries;
using Xunit;

namespace Unit.Orders.Deliveries;

public sealed class CustomerPreferencesTests
{
    [Fact]
    public void WhoeverSaidNothingWantsEverything() => Assert.True(CustomerPreferences.Everything.Wants("mail", "order.paid"));

    [Fact]
    public void OnAChannelThatIsNamedOnlyItsTypesAreWanted()
    {
        var preferences = CustomerPreferences.Everything.With("mail", "order.shipped");

        Assert.True(preferences.Wants("mail", "order.shipped"));
        Assert.False(preferences.Wants("mail", "order.paid"));
        Assert.False(CustomerPreferences.Everything.With("mail").Wants("mail", "order.shipped"));
    }

    [Fact]
    public void WhatDoesNotExistIsNamed()
    {
        Assert.Null(CustomerPreferences.Everything.With("mail", "order.paid").Fault());
        Assert.Equal("\"fax\" is no channel; channels are mail.", CustomerPreferences.Everything.With("fax", "order.paid").Fault());
        Assert.Equal(
            "\"order.lost\" is no type of change; types are order.placed, order.paid, order.shipped, order.completed, "
                + "order.cancelled, order.refunded.",
            CustomerPreferences.Everything.With("mail", "order.lost").Fault()
        );
    }
}
