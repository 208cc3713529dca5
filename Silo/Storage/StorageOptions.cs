using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Silo.Storage;

/// <summary>The kinds of store that this build knows.</summary>
public enum StorageKind
{
    /// <summary>An embedded database and a folder of objects, on this machine.</summary>
    Local,
}

/// <summary>Where the cluster keeps what must last.</summary>
public sealed class StorageOptions
{
    public const string Section = "Storage";

    [Description("Which store keeps the data. Local is an embedded database and a folder of files on this machine; nothing else has to be installed.")]
    public StorageKind Kind { get; set; } = StorageKind.Local;

    [Description("The folder of the data, made at the first start. A relative path counts from the folder that the silo is started in. Several silos of one cluster on one machine share it.")]
    [Required(ErrorMessage = "Storage:Path names a folder.")]
    public string Path { get; set; } = "./data";

    [Description("Data of this version was copied by hand: a silo that migrates it need not set a copy aside, which it cannot for data that is not on this machine. 0: none was.")]
    [Range(0, int.MaxValue)]
    public int CopiedVersion { get; set; }

    /// <summary><see cref="Path"/> as an absolute path.</summary>
    public string FullPath => System.IO.Path.GetFullPath(Path);
}
