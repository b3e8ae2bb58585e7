using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Storage;

/// <summary>Puts jobs together from the tables they are spread over.</summary>
internal static class JobReading
{
    /// <summary>The jobs of some rows, with all outputs and the summaries of their traces.</summary>
    public static async Task<IReadOnlyList<StoredJob>> ReadAsync(
        DsdeDbContext context,
        IReadOnlyList<GenerationJob> rows,
        CancellationToken cancellationToken
    )
    {
        var jobIds = rows.Select(row => row.JobId).ToList();
        var choices = await context
            .Choices.AsNoTracking()
            .Where(choice => jobIds.Contains(choice.JobId))
            .OrderBy(choice => choice.Choice)
            .ToListAsync(cancellationToken);
        var traces = await TraceReading.SelectSummaries(context, jobIds).ToListAsync(cancellationToken);
        var (choicesOf, tracesOf) = (
            choices.ToLookup(choice => choice.JobId),
            traces.ToLookup(trace => (trace.JobId, (DateTimeOffset?)trace.At), trace => trace.Trace)
        );
        return [.. rows.Select(row => JobMapping.ToJob(row, choicesOf[row.JobId], tracesOf[(row.JobId, row.EndedAt)]))];
    }
}
