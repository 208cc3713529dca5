using System.Runtime.Versioning;
using Xunit.v3;

// Each class has its own silos, and none measures time. A third of what they do is waiting: two processors have work for three.
[assembly: Parallelization(MaxThreads = 3)]

// Signals, file modes, what is in /proc.
[assembly: UnsupportedOSPlatform("windows")]
