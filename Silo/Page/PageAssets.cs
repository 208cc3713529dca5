using System.Collections.Frozen;
using System.Collections.Immutable;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Primitives;
using Silo.Middleware;

namespace Silo.Page;

/// <summary>
/// The scripts and style sheets of the page, from the silo's own assembly: so they are found wherever a silo is started from, built or
/// published, alone or beside the console.
/// The build embeds those of the packages (Silo.csproj), under the addresses that they have as static web assets.
/// </summary>
internal sealed class PageAssets : IFileProvider
{
    /// <summary>Names of the embedded resources begin with this; the rest is the address without its first slash.</summary>
    private const string Prefix = "web/";

    /// <summary>
    /// What the components library wants to run before the first circuit starts. Blazor looks for it in the web root, under the
    /// application's name and this.
    /// </summary>
    private const string Initializers = ".modules.json";

    private readonly FrozenDictionary<string, Asset> _assets;

    public PageAssets()
    {
        var types = new FileExtensionContentTypeProvider();
        var assembly = typeof(PageAssets).Assembly;
        _assets = assembly
            .GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .ToFrozenDictionary(
                name => name[Prefix.Length..].Replace('\\', '/'),
                name => new Asset(name, types.TryGetContentType(name, out var type) ? type : "application/octet-stream", () =>
                    Read(assembly.GetManifestResourceStream(name)!)
                )
            );
    }

    /// <summary>Addresses without their first slash.</summary>
    public ImmutableArray<string> Paths => _assets.Keys;

    /// <summary>The address of an asset with its version, so that a browser may keep it for good.</summary>
    public string Address(string path) => $"/{path}?v={_assets[path].Version}";

    /// <summary>Answers a request for an asset: compressed where the caller takes that, and with a 304 when the caller has it.</summary>
    public async Task Answer(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        if (!_assets.TryGetValue(request.Path.Value!.TrimStart('/'), out var asset))
        {
            await Problem.NotFound($"There is nothing at {request.Path}.").ExecuteAsync(context);
            return;
        }

        response.Headers.ETag = asset.Tag;
        response.Headers.CacheControl = request.Query["v"] == asset.Version ? "public, max-age=31536000, immutable" : "no-cache";
        response.Headers.Vary = "Accept-Encoding";
        response.Headers.XContentTypeOptions = "nosniff";
        if (request.Headers.IfNoneMatch.Contains(asset.Tag))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        var bytes = asset.Bytes;
        if (request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase))
        {
            response.Headers.ContentEncoding = "gzip";
            bytes = asset.Compressed;
        }

        response.ContentType = asset.Type;
        response.ContentLength = bytes.Length;
        if (!HttpMethods.IsHead(request.Method))
        {
            await response.Body.WriteAsync(bytes, context.RequestAborted);
        }
    }

    public IFileInfo GetFileInfo(string subpath) =>
        subpath.TrimStart('/') is var path && path.EndsWith(Initializers, StringComparison.Ordinal)
            ? new EmbeddedFile(path, InitializersText())
        : _assets.TryGetValue(path, out var asset) ? new EmbeddedFile(path, asset.Bytes)
        : new NotFoundFileInfo(subpath);

    public IDirectoryContents GetDirectoryContents(string subpath) => NotFoundDirectoryContents.Singleton;

    public IChangeToken Watch(string filter) => NullChangeToken.Singleton;

    private byte[] InitializersText() =>
        Encoding.UTF8.GetBytes(
            new JsonArray([
                .. Paths.Where(path => path.EndsWith(".lib.module.js", StringComparison.Ordinal)).Select(path => JsonValue.Create(path)),
            ]).ToJsonString()
        );

    private static byte[] Read(Stream stream)
    {
        using (stream)
        {
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return bytes;
        }
    }

    private sealed class Asset(string name, string type, Func<byte[]> read)
    {
        private readonly Lazy<byte[]> _bytes = new(read);
        private readonly Lazy<byte[]> _compressed = new(() => Compress(read()));
        private readonly Lazy<string> _version = new(() => Convert.ToHexStringLower(SHA256.HashData(read()))[..16]);

        public string Name => name;

        public string Type => type;

        public byte[] Bytes => _bytes.Value;

        public byte[] Compressed => _compressed.Value;

        public string Version => _version.Value;

        public string Tag => $"\"{Version}\"";

        private static byte[] Compress(byte[] bytes)
        {
            using var compressed = new MemoryStream();
            using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal))
            {
                gzip.Write(bytes);
            }

            return compressed.ToArray();
        }
    }

    private sealed class EmbeddedFile(string name, byte[] bytes) : IFileInfo
    {
        public bool Exists => true;

        public long Length => bytes.Length;

        public string? PhysicalPath => null;

        public string Name => name;

        public DateTimeOffset LastModified => DateTimeOffset.UnixEpoch;

        public bool IsDirectory => false;

        public Stream CreateReadStream() => new MemoryStream(bytes, writable: false);
    }
}
