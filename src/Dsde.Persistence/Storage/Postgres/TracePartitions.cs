using Microsoft.EntityFrameworkCore.Migrations;

namespace Dsde.Persistence.Storage.Postgres;

/// <summary>
/// <c>job_traces</c> is divided by month, so that queries with a time look at few partitions and old months are dropped whole. Partitions
/// are made ahead; what comes for a month that has none goes to the one for the rest, so that no end fails for want of a partition.
/// </summary>
internal static class TracePartitions
{
    /// <summary>The partition for whatever has none of its own.</summary>
    public const string Rest = "job_traces_rest";

    /// <summary>Months that are made ahead, besides the present one.</summary>
    public const int MonthsAhead = 2;

    /// <summary>
    /// Makes missing partitions of the month of a time and of some after it. A table of the same form is filled with what the rest has of
    /// the month and then attached, which keeps nobody from writing; making it as a partition at once would.
    /// </summary>
    private const string Function = """
        CREATE FUNCTION ensure_trace_partitions (of_time timestamptz, months_ahead integer) RETURNS integer LANGUAGE plpgsql AS $$
        DECLARE
            month timestamp;
            lower_bound timestamptz;
            upper_bound timestamptz;
            partition text;
            place oid := (SELECT relnamespace FROM pg_class WHERE oid = 'job_traces'::regclass);
            made integer := 0;
        BEGIN
            FOR ahead IN 0 .. months_ahead LOOP
                month := date_trunc('month', of_time AT TIME ZONE 'UTC') + make_interval(months => ahead);
                lower_bound := month AT TIME ZONE 'UTC';
                upper_bound := (month + interval '1 month') AT TIME ZONE 'UTC';
                partition := 'job_traces_' || to_char(month, 'YYYY_MM');
                CONTINUE WHEN EXISTS (SELECT FROM pg_class WHERE relname = partition AND relnamespace = place);

                -- Several workers start at once. A query sees what another has made meanwhile; to_regclass might not.
                PERFORM pg_advisory_xact_lock(hashtextextended('job_traces', 0));
                CONTINUE WHEN EXISTS (SELECT FROM pg_class WHERE relname = partition AND relnamespace = place);
                EXECUTE format('CREATE TABLE %I (LIKE job_traces INCLUDING ALL)', partition);
                EXECUTE format('WITH moved AS (DELETE FROM job_traces_rest WHERE stored_at >= $1 AND stored_at < $2 RETURNING *) '
                    'INSERT INTO %I SELECT * FROM moved', partition) USING lower_bound, upper_bound;
                EXECUTE format('ALTER TABLE job_traces ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition, lower_bound,
                    upper_bound);
                made := made + 1;
            END LOOP;
            RETURN made;
        END $$
        """;

    /// <summary>Divides the table, which is empty.</summary>
    public static void Create(MigrationBuilder migration)
    {
        migration.Sql("ALTER TABLE job_traces RENAME TO job_traces_plain;");
        migration.Sql("CREATE TABLE job_traces (LIKE job_traces_plain INCLUDING ALL) PARTITION BY RANGE (stored_at);");
        migration.Sql("DROP TABLE job_traces_plain;");
        migration.Sql($"CREATE TABLE {Rest} PARTITION OF job_traces DEFAULT;");
        migration.Sql(Function + ";");
    }

    /// <summary>Undoes what dropping the table does not.</summary>
    public static void Drop(MigrationBuilder migration) => migration.Sql("DROP FUNCTION IF EXISTS ensure_trace_partitions;");
}
