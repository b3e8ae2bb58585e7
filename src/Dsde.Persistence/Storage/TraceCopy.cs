using Dsde.Persistence.Entities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql;

namespace Dsde.Persistence.Storage;

/// <summary>Writes traces to PostgreSQL by binary COPY, within the connection's transaction.</summary>
internal static class TraceCopy
{
    public static async Task WriteAsync(DsdeDbContext context, NpgsqlConnection connection, IReadOnlyList<JobTraceRow> traces, CancellationToken cancellationToken)
    {
        var columns = Columns(context);
        var names = string.Join(", ", columns.Select(column => column.Name));
        await using var importer = await connection.BeginBinaryImportAsync($"COPY job_traces ({names}) FROM STDIN (FORMAT BINARY)", cancellationToken);
        foreach (var trace in traces)
        {
            await importer.StartRowAsync(cancellationToken);
            foreach (var (_, read, typeName) in columns)
            {
                if (read(trace) is { } value)
                {
                    await importer.WriteAsync(value, typeName, cancellationToken);
                }
                else
                {
                    await importer.WriteNullAsync(cancellationToken);
                }
            }
        }

        await importer.CompleteAsync(cancellationToken);
    }

    /// <summary>The columns are those of the model, so that a new one can't be forgotten here.</summary>
    private static List<(string Name, Func<JobTraceRow, object?> Read, string TypeName)> Columns(DsdeDbContext context)
    {
        var entity = context.Model.FindEntityType(typeof(JobTraceRow)) ?? throw new InvalidOperationException("Traces are not part of the model.");
        return [.. entity.GetProperties().Select(property => (property.GetColumnName(), Reader(property), property.GetColumnType()))];
    }

    private static Func<JobTraceRow, object?> Reader(IProperty property)
    {
        var getter = property.PropertyInfo ?? throw new InvalidOperationException($"Column {property.Name} has no property.");
        return getter.GetValue;
    }
}
