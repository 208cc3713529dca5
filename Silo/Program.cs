using Silo;
using Silo.Crawling;
using Silo.Http;
using Silo.StartUp;
using Silo.Storage;

return await Launcher.Run(
    args,
    add: builder =>
    {
        builder.AddStorage();    // Storage/: which table and blob store
        builder.AddCluster();    // members, streams, ports
        builder.AddCrawling();
        builder.AddHttp();
    },
    map: app =>
    {
        app.MapFrontPage();
        app.MapHealth();
    });
