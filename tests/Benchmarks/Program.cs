using Benchmarks.Crawling;

return args is ["links"] ? LinkExtraction.Run() : 0;
