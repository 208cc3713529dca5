using System.Net;

namespace Silo.Cluster;

public sealed partial class LostMembers
{
    [LoggerMessage(Level = LogLevel.Information, Message = "{Silo} at {EndPoint} ended without leaving the cluster; it is written off")]
    private partial void LogWrittenOff(string silo, IPEndPoint endPoint);
}
