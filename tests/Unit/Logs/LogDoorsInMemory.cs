using System.IO.Compression;
using System.Net.Http.Headers;
using Doubles.Logs;
using Doubles.Net;
using Doubles.Storage;
using Grains.Logs;
using Grains.Logs.Intake;
using Microsoft.Extensions.DependencyInjection;
using Silo.Logs;
using Unit.Silo;

namespace Unit.Logs;

/// <summary>The doors for log records before an intake in memory, in a real Kestrel on a network in memory.</summary>
internal sealed class LogDoorsInMemory(DoorsInMemory doors, LogIntakeInMemory intake) : IAsyncDisposable
{
    public LogIntakeInMemory Intake => intake;

    public HttpClient Http => doors.Http;

    public MemoryNetwork Network => doors.Network;

    public static async Task<LogDoorsInMemory> Open(
        LogsOptions? options = null,
        LogIntakeInMemory? intake = null,
        TableStoreInMemory? store = null,
        bool isHttp2 = false
    )
    {
        intake ??= new();
        var doors = await DoorsInMemory.Open(
            app => app.MapLogIntake(),
            store: store,
            add: services =>
            {
                services.AddLogEndpoints();
                services.AddSingleton<ILogIntake>(intake);
                services.AddSingleton(Microsoft.Extensions.Options.Options.Create(options ?? new()));
            },
            isHttp2: isHttp2,
            settings: ("Limits:PerKey", "0.001")
        );
        return new(doors, intake);
    }

    public async Task<(int Status, string? Type, byte[] Body, HttpResponseHeaders Headers)> Post(
        string path,
        byte[] body,
        string? type,
        bool gzip = false,
        string? key = null,
        params (string Name, string Value)[] headers
    )
    {
        using var content = new ByteArrayContent(gzip ? Gzip(body) : body);
        if (type is not null)
        {
            content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        }

        if (gzip)
        {
            content.Headers.ContentEncoding.Add("gzip");
        }

        return await Send(path, content, key, headers);
    }

    public async Task<(int Status, string? Type, byte[] Body, HttpResponseHeaders Headers)> Send(
        string path,
        HttpContent content,
        string? key = null,
        params (string Name, string Value)[] headers
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        if (key is not null)
        {
            request.Headers.Authorization = new("Bearer", key);
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        var answer = await doors.Http.SendAsync(request);
        return (
            (int)answer.StatusCode,
            answer.Content.Headers.ContentType?.MediaType,
            await answer.Content.ReadAsByteArrayAsync(),
            answer.Headers
        );
    }

    public static byte[] Gzip(byte[] bytes)
    {
        var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest))
        {
            gzip.Write(bytes);
        }

        return compressed.ToArray();
    }

    public ValueTask DisposeAsync() => doors.DisposeAsync();
}
