using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Silo.Endpoints;

/// <summary>Which of several silos on one machine this is.</summary>
public sealed class InstanceOptions
{
    public const string Section = "Instance";

    /// <summary>How far apart the ports of two neighbouring instances are.</summary>
    public const int PortStep = 100;

    [Description(
        "Which of several silos on one machine this is: every port is shifted by 100 times this number. \"--instance 1\" is short for it."
    )]
    [Range(0, 99)]
    public int Number { get; set; }
}
