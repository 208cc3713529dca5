using Xunit.Sdk;
using Xunit.v3;

// Each case starts processes and measures times: two at once would only measure each other.
[assembly: Parallelization(Mode = ParallelMode.None)]
