using System.Globalization;

namespace Grains.Interfaces.Values;

/// <summary>
/// Amounts of money as people read them: kept in minor units, shown with as many decimals as the currency has (ISO 4217).
/// </summary>
public static class Amounts
{
    private static readonly HashSet<string> WithoutMinor =
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ];

    private static readonly HashSet<string> WithThousandths = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

    /// <summary><c>1,234.50 EUR</c>, <c>800 JPY</c>.</summary>
    public static string Format(long minor, string currency)
    {
        var decimals =
            WithoutMinor.Contains(currency) ? 0
            : WithThousandths.Contains(currency) ? 3
            : 2;
        var amount = decimals switch
        {
            0 => minor,
            3 => minor / 1000m,
            _ => minor / 100m,
        };
        return $"{amount.ToString($"N{decimals}", CultureInfo.InvariantCulture)} {currency}";
    }
}
