using Microsoft.EntityFrameworkCore.Migrations;

namespace Dsde.Persistence.Migrating;

/// <summary>
/// What both databases do to the rows there are when batches begin to count their jobs and jobs that are to be cancelled begin to wait for
/// a worker.
/// </summary>
internal static class BatchCounts
{
    public static void Fill(MigrationBuilder migration)
    {
        migration.Sql(
            """
            UPDATE generation_jobs SET state = 'queued', cancel_requested_at = ended_at, ended_at = NULL, cancel_reason = NULL
            WHERE state = 'cancelled' AND request_hash IS NULL;
            """
        );
        migration.Sql(
            """
            INSERT INTO generation_batches (batch_id)
            SELECT DISTINCT batch_id FROM generation_jobs WHERE batch_id IS NOT NULL AND batch_id NOT IN (SELECT batch_id FROM generation_batches);
            """
        );
        migration.Sql(
            $"UPDATE generation_batches SET completed_count = {Count("completed")}, failed_count = {Count("failed")}, cancelled_count = {Count("cancelled")};"
        );
        migration.Sql(
            """
            UPDATE generation_batches SET completed_at = (SELECT max(ended_at) FROM generation_jobs j WHERE j.batch_id = generation_batches.batch_id)
            WHERE completed_count + failed_count + cancelled_count >= job_count;
            """
        );
    }

    /// <summary>Makes of the rows such as are known without the counts.</summary>
    public static void Forget(MigrationBuilder migration)
    {
        migration.Sql("UPDATE job_choices SET text = '' WHERE text IS NULL;");
        migration.Sql("DELETE FROM generation_batches WHERE job_count IS NULL;");
        migration.Sql(
            """
            UPDATE generation_jobs SET state = 'cancelled', cancel_reason = 'cancelled', ended_at = cancel_requested_at
            WHERE state = 'queued' AND request_hash IS NULL;
            """
        );
        migration.Sql("UPDATE generation_jobs SET state = 'running' WHERE state = 'queued';"); // of a claim that has run out
    }

    private static string Count(string state) =>
        $"(SELECT count(*) FROM generation_jobs j WHERE j.batch_id = generation_batches.batch_id AND j.state = '{state}')";
}
