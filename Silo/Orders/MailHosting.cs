using Grains;
using Grains.Orders.Deliveries.Mail;
using Microsoft.Extensions.Options;
using Silo.Settings;
using Silo.StartUp;
using Silo.Storage;

namespace Silo.Orders;

/// <summary>What mail to customers needs of the silo.</summary>
internal static partial class MailHosting
{
    /// <summary>What is half written for longer is nobody's any more.</summary>
    private static readonly TimeSpan LeftBehind = TimeSpan.FromHours(1);

    public static void AddMail(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSettings<MailOptions>(configuration);
        services.AddSingleton(provider => Settings(Options(provider)));
        services.AddSingleton(provider => new MailStore(
            provider.GetRequiredService<Grains.Storage.ITableStore>(),
            provider.GetRequiredService<TimeProvider>(),
            Options(provider).SuppressFor
        ));
        services.AddSingleton(provider => new PickupMailSender(
            PickupFolder(provider),
            OperatingSystemCalls.FlushFolder,
            UsualFolder(provider)
        ));
        services.AddSingleton<IMailSender>(provider =>
            provider.GetRequiredService<MailSettings>().Server is { } server
                ? new SmtpMailSender(server, provider.GetRequiredKeyedService<TimeProvider>(Clocks.Guards))
                : provider.GetRequiredService<PickupMailSender>()
        );
        services.AddSingleton(Place);
        services.AddSingleton(provider => new OperatorMail(
            provider.GetRequiredService<MailContext>().Gate,
            provider.GetRequiredService<MailSettings>().From,
            provider.GetRequiredService<MailSettings>().Operator
        ));
        services.AddSingleton(provider => new Grains.Orders.Consumers.SubscriberEntry(
            MailSubscriber.Rules(provider.GetRequiredService<MailSettings>().Waits),
            _ => new MailSubscriber(provider.GetRequiredService<MailContext>())
        ));
        services.AddStartUpCheck<MailCheck>();
    }

    /// <exception cref="StartUpException">A setting is wrong, or does not go with another.</exception>
    internal static MailSettings Settings(MailOptions options) =>
        MailSettings.TryRead(options, out var settings, out var problems)
            ? settings
            : throw new StartUpException(string.Join(Environment.NewLine, problems)) { ExitCode = ExitCodes.WrongSetting };

    private static MailContext Place(IServiceProvider provider)
    {
        var (options, settings) = (Options(provider), provider.GetRequiredService<MailSettings>());
        return new(
            provider.GetRequiredService<MailStore>(),
            new(
                provider.GetRequiredService<IMailSender>(),
                settings.Server is null ? null : options.PerSecond,
                provider.GetRequiredService<TimeProvider>()
            ),
            new(settings.Templates, settings.From, settings.Shop),
            options.AfterUnknown,
            settings.Unsubscribe,
            provider.GetRequiredService<PickupMailSender>()
        ); // Also with a server: mails of before it was named may lie there, and are erased too.
    }

    private static string PickupFolder(IServiceProvider provider) =>
        Options(provider).Pickup is { Length: > 0 } folder ? Path.GetFullPath(folder) : UsualFolder(provider);

    private static string UsualFolder(IServiceProvider provider) =>
        Path.Combine(provider.GetRequiredService<IOptions<StorageOptions>>().Value.FullPath, "mail");

    private static MailOptions Options(IServiceProvider provider) => provider.GetRequiredService<IOptions<MailOptions>>().Value;

    /// <summary>The settings are right together, and it is said where mail goes.</summary>
    private sealed partial class MailCheck(
        MailSettings settings,
        PickupMailSender pickup,
        IServiceProvider provider,
        TimeProvider clock,
        ILogger<MailCheck> logger
    ) : IStartUpCheck
    {
        public Task Run(CancellationToken cancel)
        {
            WarnOfOthers(PickupFolder(provider));
            if (settings.Server is { } server)
            {
                LogServer(server, settings.From.Address);
                return Task.CompletedTask;
            }

            var folder = PickupFolder(provider);
            try
            {
                if (Options(provider).Pickup.Length > 0)
                {
                    // Who names a folder hears at once that it cannot be used. The usual one comes with its first mail.
                    Directory.CreateDirectory(folder);
                }

                if (pickup.Sweep(clock.GetUtcNow() - LeftBehind) is var left and > 0)
                {
                    LogSwept(left, folder);
                }
            }
            catch (Exception failure)
                when (failure is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
            {
                throw new StartUpException(
                    $"The folder {folder} (Mail:Pickup) cannot be used: {failure.Message.TrimEnd('.')}. Give a folder that can, "
                        + $"with --Mail:Pickup, or a mail server with --Mail:Host.",
                    failure
                );
            }

            LogFolder(folder);
            return Task.CompletedTask;
        }

        /// <summary>
        /// A folder outside of the data may be read by the program that picks up: its mode is the operator's. Mails in it are for this user
        /// alone.
        /// </summary>
        private void WarnOfOthers(string folder)
        {
            if (
                !OperatingSystem.IsWindows()
                && Options(provider).Pickup.Length > 0
                && Directory.Exists(folder)
                && (File.GetUnixFileMode(folder) & (UnixFileMode.OtherRead | UnixFileMode.OtherExecute)) != 0
            )
            {
                LogOpen(folder);
            }
        }

        [LoggerMessage(
            Level = LogLevel.Warning,
            Message = "Other users of this machine can look into {Folder} (Mail:Pickup), where mails with names and addresses "
                + "lie; close it with chmod 700"
        )]
        private partial void LogOpen(string folder);

        [LoggerMessage(Level = LogLevel.Information, Message = "Mail goes to {Server}, from {From}")]
        private partial void LogServer(SmtpSettings server, string from);

        [LoggerMessage(Level = LogLevel.Debug, Message = "Mail is written to {Folder}, for there is no Mail:Host")]
        private partial void LogFolder(string folder);

        [LoggerMessage(Level = LogLevel.Information, Message = "{Count} mails that were left half written in {Folder} are removed")]
        private partial void LogSwept(int count, string folder);
    }
}
