using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using Doubles.Logs;

namespace Benchmarks.Logs;

/// <summary>
/// OTLP requests of <see cref="Records"/> records of about 300 bytes, encoded beforehand: lines of five services as a shop's servers write
/// them, every other with a trace.
/// A request differs from all others by one record's time, written into its bytes before it is sent: else the log would know it for a
/// repeat.
/// </summary>
internal sealed class LogRequests
{
    public const int Records = 512;

    /// <summary>Requests that are made beforehand, and taken in turn.</summary>
    public const int Different = 64;

    private const ulong Marker = 0x0123_4567_89ab_cdef;

    private static readonly string[] Paths =
    [
        "/cart",
        "/cart/items",
        "/checkout",
        "/search?q=lamp",
        "/product/4711/reviews",
        "/login",
        "/assets/app.js",
        "/api/stock/levels",
    ];

    private readonly byte[][] _requests = new byte[Different][];
    private readonly int[] _timeAt = new int[Different];
    private long _next;

    public LogRequests(int seed)
    {
        var random = new Random(seed);
        Span<byte> marker = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(marker, Marker);
        for (var number = 0; number < Different; number++)
        {
            _requests[number] = OtlpProto.Encode(Request(random, number));
            _timeAt[number] = _requests[number].AsSpan().IndexOf(marker);
        }
    }

    public double BytesPerRecord => _requests.Average(request => (double)request.Length) / Records;

    /// <summary>A request that was never sent before, in the sender's own slot.</summary>
    public ReadOnlyMemory<byte> Take(ref byte[]? slot, ulong now)
    {
        var count = Interlocked.Increment(ref _next);
        var number = (int)(count % Different);
        slot ??= new byte[_requests.Max(one => one.Length)];
        _requests[number].CopyTo(slot, 0);
        BinaryPrimitives.WriteUInt64LittleEndian(slot.AsSpan(_timeAt[number]), now + (ulong)count);
        return slot.AsMemory(0, _requests[number].Length);
    }

    private static OtlpRequest Request(Random random, int number)
    {
        var service = $"service-{number % 5}";
        var time = 1_795_000_000_000_000_000ul + ((ulong)number * 1_000_000_000);
        var records = ImmutableArray.CreateBuilder<OtlpRecord>(Records);
        for (var index = 0; index < Records; index++)
        {
            var id = new byte[24];
            random.NextBytes(id);
            var path = Paths[random.Next(Paths.Length)];
            var status = random.Next(100) < 97 ? 200 : 503;
            time += (ulong)random.Next(2_000_000);
            records.Add(
                new()
                {
                    Time = index == 0 ? Marker : time,
                    Observed = time + 1000,
                    Severity = status == 200 ? 9 : 17,
                    SeverityText = status == 200 ? "INFO" : "ERROR",
                    Body = new OtlpString(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{(status == 200 ? "handled" : "timeout while handling")} GET {path} for session "
                                + $"{random.Next():x8}{random.Next():x8} in {random.Next(1, 900)} ms, {random.Next(100, 90_000)} bytes sent"
                        )
                    ),
                    Attributes =
                    [
                        new("http.route", new OtlpString(path)),
                        new("http.response.status_code", new OtlpInt(status)),
                        new("user.id", new OtlpInt(random.Next(1, 50_000))),
                        new("server.address", new OtlpString($"shop-{random.Next(1, 9)}.internal")),
                        new("thread.name", new OtlpString($"worker-{random.Next(1, 33)}")),
                    ],
                    TraceId = index % 2 == 0 ? [.. id[..16]] : [],
                    SpanId = index % 2 == 0 ? [.. id[16..]] : [],
                }
            );
        }

        return new(
            new OtlpResourceLogs(
                new OtlpResource([
                    new("service.name", new OtlpString(service)),
                    new("host.name", new OtlpString("shop-1")),
                    new("service.version", new OtlpString("1.4.2")),
                ]),
                [new OtlpScopeLogs(new OtlpScope("Shop.Http", "1.0"), records.ToImmutable())]
            )
        );
    }
}
