using System.Runtime.Versioning;
using Xunit.v3;

// Each class has its own silos, and none measures time. More at once would only wait for the processor.
[assembly: Parallelization(MaxThreads = 2)]

// Signals, file modes, what is in /proc.
[assembly: UnsupportedOSPlatform("windows")]
