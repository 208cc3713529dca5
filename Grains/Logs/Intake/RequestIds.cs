using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using Grains.Interfaces.Logs;

namespace Grains.Logs.Intake;

/// <summary>What a request is recognised by when it comes again. Requests of different callers are different, whatever they hold.</summary>
public static class RequestIds
{
    private const byte ByBytes = 1;
    private const byte ByKey = 2;

    /// <summary>By its bytes, after decompression: one transmission of them, for equal bytes may be different requests.</summary>
    /// <param name="caller">The name of the key that it came under.</param>
    public static LogRequestId OfBytes(string caller, ReadOnlySpan<byte> request) =>
        Of(ByBytes, caller, request) with
        {
            Attempt = (ulong)System.Random.Shared.NextInt64(1, long.MaxValue),
        };

    /// <summary>By a name that the sender gave it.</summary>
    public static LogRequestId OfKey(string caller, string key) => Of(ByKey, caller, Encoding.UTF8.GetBytes(key));

    /// <summary>By a name of its own that nobody else has.</summary>
    public static LogRequestId Random()
    {
        var bytes = Guid.NewGuid().ToByteArray();
        return new(MemoryMarshal.Read<ulong>(bytes), MemoryMarshal.Read<ulong>(bytes.AsSpan(8)));
    }

    private static LogRequestId Of(byte kind, string caller, ReadOnlySpan<byte> bytes)
    {
        var hash = new XxHash128();
        var name = Encoding.UTF8.GetBytes(caller);
        hash.Append([kind, .. BitConverter.GetBytes(name.Length), .. name]);
        hash.Append(bytes);
        var sum = hash.GetCurrentHashAsUInt128();
        return new((ulong)(sum >> 64), (ulong)sum);
    }
}
