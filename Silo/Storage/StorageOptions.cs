using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.RegularExpressions;
using Azure.Data.Tables;
using Azure.Storage.Blobs;

namespace Silo.Storage;

/// <summary>The kinds of store that this build knows.</summary>
public enum StorageKind
{
    /// <summary>An embedded database and a folder of objects, on this machine.</summary>
    Local,

    /// <summary>Tables and blobs of an Azure Storage account.</summary>
    Azure,
}

/// <summary>Where the cluster keeps what must last.</summary>
public sealed partial class StorageOptions
{
    public const string Section = "Storage";

    [Description(
        "Which store keeps the data. Local is an embedded database and a folder of files on this machine; nothing else has to "
            + "be installed. Azure is an account of Azure Storage, named by Storage:AccountName or Storage:ConnectionString, "
            + "for silos on any number of machines."
    )]
    public StorageKind Kind { get; set; } = StorageKind.Local;

    [Description(
        "The folder of the data when Storage:Kind is Local, made at the first start. A relative path counts from the folder "
            + "that the silo is started in. Several silos of one cluster on one machine share it."
    )]
    [Required(ErrorMessage = "Storage:Path names a folder.")]
    public string Path { get; set; } = "./data";

    [Description(
        "The account of Azure Storage when Storage:Kind is Azure, with its key, as the portal shows it; "
            + "UseDevelopmentStorage=true is Azurite on its usual ports. A key is a secret: prefer the environment variable, or "
            + "Storage:AccountName without any key."
    )]
    public string ConnectionString { get; set; } = "";

    [Description(
        "The name of the account of Azure Storage when Storage:Kind is Azure and no connection string is given. The silo signs "
            + "in with its managed identity, which needs the roles Storage Table Data Contributor and Storage Blob Data Contributor."
    )]
    public string AccountName { get; set; } = "";

    [Description(
        "Data of this version was copied by hand: a silo that migrates it need not set a copy aside, which it cannot for data "
            + "that is not on this machine. 0: none was."
    )]
    [Range(0, int.MaxValue)]
    public int CopiedVersion { get; set; }

    [Description(
        "Tables that were lost and begin anew, by name, with commas between. Without it a silo refuses to start while a table "
            + "that had rows is empty or missing beside others that refer to it. For one start."
    )]
    public string BeginAnew { get; set; } = "";

    /// <summary>The names in <see cref="BeginAnew"/>.</summary>
    internal IEnumerable<string> BeginAnewTables =>
        BeginAnew.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary><see cref="Path"/> as an absolute path.</summary>
    public string FullPath => System.IO.Path.GetFullPath(Path);

    /// <summary>Where the data is, for people; no secret is in it.</summary>
    public string Place =>
        Kind switch
        {
            StorageKind.Local => FullPath,
            _ when ConnectionString.Length > 0 =>
                $"the storage account at {new TableServiceClient(ConnectionString).Uri.GetLeftPart(UriPartial.Path)}",
            _ => $"the storage account \"{AccountName}\"",
        };

    /// <summary>The end of a sentence: how to keep the data elsewhere.</summary>
    public string Elsewhere =>
        Kind == StorageKind.Local
            ? "give another folder with --Storage:Path"
            : "give another account with Storage:ConnectionString or --Storage:AccountName";

    /// <summary>What is wrong with the settings together, in sentences; empty when nothing is. Each alone must be valid.</summary>
    public IEnumerable<string> Problems() =>
        Kind switch
        {
            StorageKind.Local when ConnectionString.Length > 0 || AccountName.Length > 0 =>
            [
                $"{(ConnectionString.Length > 0 ? "Storage:ConnectionString" : "Storage:AccountName")} is set, and Storage:Kind "
                    + $"is Local, which has no account; set Storage:Kind to Azure, or leave the account out.",
            ],
            StorageKind.Azure when ConnectionString.Length > 0 && AccountName.Length > 0 =>
            [
                "Storage:ConnectionString and Storage:AccountName are both set; give one of them, for each names an account.",
            ],
            StorageKind.Azure when ConnectionString.Length > 0 && !IsConnectionString(ConnectionString) =>
            [
                "Storage:ConnectionString cannot be read; it is UseDevelopmentStorage=true, or the text that the portal shows "
                    + "under \"Access keys\", with endpoints for tables and blobs.",
            ],
            StorageKind.Azure when ConnectionString.Length == 0 && AccountName.Length == 0 =>
            [
                "Storage:Kind is Azure, and no account is named; give Storage:AccountName, or Storage:ConnectionString "
                    + "(UseDevelopmentStorage=true for Azurite).",
            ],
            StorageKind.Azure when AccountName.Length > 0 && !AccountForm().IsMatch(AccountName) =>
            [
                $"Storage:AccountName is \"{AccountName}\"; an account's name has 3 to 24 lower-case letters and digits, "
                    + $"without the address around it.",
            ],
            _ => [],
        };

    private static bool IsConnectionString(string text)
    {
        try
        {
            return new TableServiceClient(text).Uri is not null && new BlobServiceClient(text).Uri is not null;
        }
        catch (Exception odd) when (odd is FormatException or ArgumentException or InvalidOperationException)
        {
            return false;
        }
    }

    [GeneratedRegex("^[0-9a-z]{3,24}$")]
    private static partial Regex AccountForm();
}
