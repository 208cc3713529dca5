using System.ComponentModel.DataAnnotations;

namespace Grains.Orders.Deliveries;

/// <summary>Accepts what <see cref="RetryWaits"/> reads.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class RetryWaitsSettingAttribute : ValidationAttribute
{
    public override bool IsValid(object? value) => RetryWaits.TryParse(value as string, out _, out _);

    public override string FormatErrorMessage(string name) =>
        $"{name} is the waits between tries, 1 to {RetryWaits.Most} whole numbers with ms, s, m, h or d, each up to "
        + $"{RetryWaits.Longest.TotalDays:0}d, such as \"5s 5m 2h\".";
}
