using System.Collections.Frozen;
using System.Text;

namespace Grains.Crawling.Pages;

/// <summary>
/// An encoding of the Encoding Standard that .NET does not have: one byte a character, ASCII and the C1 controls below, a table above. It
/// writes nothing for a character that it does not have, as <see cref="EncodingLabels.ForQueries"/> wants it.
/// </summary>
internal sealed class TableEncoding : Encoding
{
    private const int FirstOfTable = 0xA0;

    /// <summary>Baltic and Nordic.</summary>
    public static readonly TableEncoding Iso10 = new(
        28600,
        "iso-8859-10",
        "\u00a0ĄĒĢĪĨĶ§ĻĐŠŦŽ\u00adŪŊ°ąēģīĩķ·ļđšŧž―ūŋĀÁÂÃÄÅÆĮČÉĘËĖÍÎÏÐŅŌÓÔÕÖŨØŲÚÛÜÝÞßāáâãäåæįčéęëėíîïðņōóôõöũøųúûüýþĸ"
    );

    /// <summary>Celtic.</summary>
    public static readonly TableEncoding Iso14 = new(
        28604,
        "iso-8859-14",
        "\u00a0Ḃḃ£ĊċḊ§Ẁ©ẂḋỲ\u00ad®ŸḞḟĠġṀṁ¶ṖẁṗẃṠỳẄẅṡÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏŴÑÒÓÔÕÖṪØÙÚÛÜÝŶßàáâãäåæçèéêëìíîïŵñòóôõöṫøùúûüýŷÿ"
    );

    /// <summary>South-eastern Europe.</summary>
    public static readonly TableEncoding Iso16 = new(
        28606,
        "iso-8859-16",
        "\u00a0ĄąŁ€„Š§š©Ș\u00abŹ\u00adźŻ°±ČłŽ”¶·žčș\u00bbŒœŸżÀÁÂĂÄĆÆÇÈÉÊËÌÍÎÏĐŃÒÓÔŐÖŚŰÙÚÛÜĘȚßàáâăäćæçèéêëìíîïđńòóôőöśűùúûüęțÿ"
    );

    private readonly string _table;
    private readonly FrozenDictionary<char, byte> _bytes;

    /// <param name="codePage">As Windows would number it.</param>
    /// <param name="table">The 96 characters of the bytes from A0 on.</param>
    private TableEncoding(int codePage, string name, string table)
        : base(codePage)
    {
        WebName = name;
        _table = table;
        _bytes = table.Index().ToFrozenDictionary(entry => entry.Item, entry => (byte)(FirstOfTable + entry.Index));
    }

    public override string WebName { get; }

    public override bool IsSingleByte => true;

    public override int GetByteCount(char[] chars, int index, int count) => chars.AsSpan(index, count).ToArray().Count(Has);

    public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex)
    {
        var at = byteIndex;
        foreach (var c in chars.AsSpan(charIndex, charCount))
        {
            if (Has(c))
            {
                bytes[at++] = c < FirstOfTable ? (byte)c : _bytes[c];
            }
        }

        return at - byteIndex;
    }

    public override int GetCharCount(byte[] bytes, int index, int count) => count;

    public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex)
    {
        for (var i = 0; i < byteCount; i++)
        {
            var b = bytes[byteIndex + i];
            chars[charIndex + i] = b < FirstOfTable ? (char)b : _table[b - FirstOfTable];
        }

        return byteCount;
    }

    public override int GetMaxByteCount(int charCount) => charCount;

    public override int GetMaxCharCount(int byteCount) => byteCount;

    private bool Has(char c) => c < FirstOfTable || _bytes.ContainsKey(c);
}
