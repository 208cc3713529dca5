using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Silo.Middleware;

/// <summary>
/// HEAD, wherever GET is (RFC 9110 §9.3.2): it passes the chain and its route as a GET up to the first byte of the answer, which says that
/// status and headers are final. No byte is sent, and an answer without an end ends there.
/// </summary>
public sealed class Head(RequestDelegate next)
{
    public async Task InvokeAsync(HttpContext context)
    {
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await next(context);
            return;
        }

        using var answered = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        var nothing = new Nothing(answered);
        context.Request.Method = HttpMethods.Get; // The server knows what it was, and sends no body.
        context.RequestAborted = answered.Token;
        context.Features.Set<IHttpResponseBodyFeature>(
            new StreamResponseBodyFeature(nothing, context.Features.GetRequiredFeature<IHttpResponseBodyFeature>())
        );
        context.Features.Set(nothing);
        await next(context);
    }

    /// <summary>Whether it is a HEAD whose answer has begun: what is thrown then says only that the rest was cut off.</summary>
    public static bool IsAnswered(HttpContext context) => context.Features.Get<Nothing>() is { IsWritten: true };

    /// <summary>Names HEAD where GET is named among the methods of a path.</summary>
    public static void Allow(HttpResponse response)
    {
        var methods = response.Headers.GetCommaSeparatedValues(HeaderNames.Allow);
        if (methods.Contains(HttpMethods.Get) && !methods.Contains(HttpMethods.Head))
        {
            response.Headers.Allow = string.Join(", ", [.. methods, HttpMethods.Head]);
        }
    }

    /// <summary>Takes the bytes of an answer and keeps none; with the first one whoever writes is told to stop.</summary>
    private sealed class Nothing(CancellationTokenSource answered) : Stream
    {
        public bool IsWritten { get; private set; }

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            IsWritten = true;
            answered.Cancel();
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            IsWritten = true;
            await answered.CancelAsync();
        }

        public override void Flush() { }

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
