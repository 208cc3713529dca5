namespace Grains.Interfaces.Logs;

/// <summary>Puts what became of pages into the log. The key is the number of a stream of <c>crawling.pages</c>; nobody calls it.</summary>
[Alias("logs.ICrawlLogGrain")]
public interface ICrawlLogGrain : IGrainWithIntegerKey;
