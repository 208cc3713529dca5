using System.Runtime.Versioning;
using Xunit.v3;

// Each class has its own silos, and none measures time. Half of what they do is waiting: two processors have work for four.
[assembly: Parallelization(MaxThreads = 4)]

// Signals, file modes, what is in /proc.
[assembly: UnsupportedOSPlatform("windows")]
