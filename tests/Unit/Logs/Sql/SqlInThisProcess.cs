using Grains.Logs.Sql;

namespace Unit.Logs.Sql;

/// <summary>
/// Runs statements here, by the code of the SQL process and through its frames. Nothing bounds their time or memory: only for statements
/// that end.
/// </summary>
internal sealed class SqlInThisProcess : ISqlRunner
{
    public async Task<SqlAnswer> Run(SqlRequest request, CancellationToken stop)
    {
        using var pipe = new MemoryStream();
        await Task.Run(() => SqlWorker.Answer(request, pipe), stop);
        pipe.Position = 0;
        return await SqlFrames.ReadAnswer(pipe, request);
    }
}
