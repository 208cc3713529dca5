namespace Silo.StartUp;

/// <summary>Something that must hold before the silo joins the cluster. Checks run one after the other, in the order of their registration.</summary>
public interface IStartUpCheck
{
    /// <exception cref="StartUpException">It does not hold; the message says what to do.</exception>
    Task Run(CancellationToken cancel);
}
