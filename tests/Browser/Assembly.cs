using System.Runtime.Versioning;
using Xunit.v3;

// All classes look at one silo, with one browser.
[assembly: Parallelization(MaxThreads = 2)]
[assembly: UnsupportedOSPlatform("windows")]
