using System.Text.Json;
using Doubles.Net;
using Doubles.Orders;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Outside;

// The outside world of notifications, in a process of its own: it outlives the silos that call it, and its ledger is none of theirs.
// One argument: the ledger's file. It ends when its standard input does, so that it never outlives a test.
if (args is not [var path])
{
    await Console.Error.WriteLineAsync("One argument is needed: the file of the ledger.");
    return 2;
}

using var ledger = new Ledger(path);
var endpoints = new Endpoints(ledger, TimeProvider.System);
var mail = new MailServer(ledger, TimeProvider.System);
await using var receiver = new WebhookReceiver(LoopbackNetwork.Instance) { Decide = endpoints.Take, Remembers = false };
await using var smtp = new SmtpServer(LoopbackNetwork.Instance)
{
    Decide = mail.At,
    Takes = mail.Take,
    Remembers = false,
    Extensions = ["8BITMIME", "ENHANCEDSTATUSCODES", "PIPELINING"],
};

var builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders();
builder.WebHost.UseUrls("http://127.0.0.1:0");
await using var app = builder.Build();
app.MapPut("/endpoints", (string path, EndpointAnswer[] answers) => endpoints.Behave(path, answers));
app.MapPut("/secrets", (string path, string[] secrets) => endpoints.Secrets(path, secrets));
app.MapPut("/smtp", (SmtpAnswer[] answers) => mail.Behave(answers));
app.MapPost("/flush", ledger.Flush);
app.MapGet("/counts", ledger.Counts);
app.MapGet("/ids", (string place) => ledger.Ids(place));
await app.StartAsync();

var control = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Port;
Console.WriteLine(
    JsonSerializer.Serialize(new OutsideReady(smtp.Port, receiver.Port, control, Path.GetFullPath(path)), JsonSerializerOptions.Web)
);
while (await Console.In.ReadLineAsync() is not null)
{
    // Nothing is said to it this way.
}

await app.StopAsync();
return 0;
