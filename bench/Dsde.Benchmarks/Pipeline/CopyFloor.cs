using System.Buffers.Binary;
using Dsde.Pipeline.Telemetry;
using Npgsql;

namespace Dsde.Benchmarks.Pipeline;

/// <summary>
/// What storing the same rows takes at least: plain COPY into tables of the same columns and indices, as many jobs to a transaction as are
/// under way at once.
/// </summary>
internal static class CopyFloor
{
    private const int HeaderBytes = 19; // signature, flags, length of an extension that is never there
    private static readonly byte[] Trailer = [0xFF, 0xFF];
    private static readonly string[] Tables = ["generation_jobs", "job_traces"];

    /// <summary>Copies all rows of the measured database once more.</summary>
    /// <param name="database">With one trace per job.</param>
    /// <param name="groupSize">Jobs to a transaction.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>How long the copies and commits took; reading the rows is not counted.</returns>
    public static async Task<TimeSpan> MeasureAsync(
        BenchDatabase database,
        int groupSize,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var groups = new List<List<byte[]>>();
        foreach (var table in Tables)
        {
            groups.Add(Group(await ReadAsync(connection, table, cancellationToken), groupSize));
            await using var create = new NpgsqlCommand($"CREATE TABLE floor_{table} (LIKE {table} INCLUDING ALL)", connection);
            await create.ExecuteNonQueryAsync(cancellationToken);
        }

        var start = time.GetTimestamp();
        for (var group = 0; group < groups[0].Count; group++)
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            for (var table = 0; table < Tables.Length; table++)
            {
                await using var copy = await connection.BeginRawBinaryCopyAsync(
                    $"COPY floor_{Tables[table]} FROM STDIN (FORMAT BINARY)",
                    cancellationToken
                );
                await copy.WriteAsync(groups[table][group], cancellationToken);
            }

            await transaction.CommitAsync(cancellationToken);
        }

        return time.GetElapsedTime(start);
    }

    private static async Task<byte[]> ReadAsync(NpgsqlConnection connection, string table, CancellationToken cancellationToken)
    {
        await using var copy = await connection.BeginRawBinaryCopyAsync(
            $"COPY (SELECT * FROM {table}) TO STDOUT (FORMAT BINARY)",
            cancellationToken
        );
        using var content = new MemoryStream();
        await copy.CopyToAsync(content, cancellationToken);
        return content.ToArray();
    }

    /// <summary>Cuts a binary copy into several with some rows each.</summary>
    private static List<byte[]> Group(byte[] content, int groupSize)
    {
        var groups = new List<byte[]>();
        for (var position = HeaderBytes; ReadLength(content, position) >= 0; )
        {
            var start = position;
            for (var row = 0; row < groupSize && ReadLength(content, position) >= 0; row++)
            {
                position = SkipRow(content, position);
            }

            groups.Add([.. content.AsSpan(0, HeaderBytes), .. content.AsSpan(start, position - start), .. Trailer]);
        }

        return groups;
    }

    /// <summary>
    /// A row is the number of its fields, and each field its length and its bytes; of a null only the length, which is -1.
    /// </summary>
    private static int SkipRow(byte[] content, int position)
    {
        var fields = ReadLength(content, position);
        position += sizeof(short);
        for (var field = 0; field < fields; field++)
        {
            position += sizeof(int) + Math.Max(0, BinaryPrimitives.ReadInt32BigEndian(content.AsSpan(position)));
        }

        return position;
    }

    private static short ReadLength(byte[] content, int position) => BinaryPrimitives.ReadInt16BigEndian(content.AsSpan(position));
}
