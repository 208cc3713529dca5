using System.ComponentModel.DataAnnotations;

namespace Grains.Net;

/// <summary>Accepts the text of address ranges, also none.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class AddressRangesSettingAttribute : ValidationAttribute
{
    public override bool IsValid(object? value) => AddressRanges.TryParse(value as string, out _, out _);

    public override string FormatErrorMessage(string name) =>
        $"{name} is a list of addresses and ranges, such as 127.0.0.0/8,10.1.2.3,fd00::/8, or nothing.";
}
