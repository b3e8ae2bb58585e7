using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;
using Dsde.Persistence.Storage;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence;

/// <summary>The one model of both databases.</summary>
internal abstract class DsdeDbContext(DbContextOptions options) : DbContext(options)
{
    // What a row of job_traces has beside the trace itself.
    public const string TraceJobId = "JobId";
    public const string TraceChoice = "Choice";
    public const string TraceStoredAt = "StoredAt";
    public const string TraceBatchId = "BatchId";
    public const string TraceWorkload = "Workload";
    public const string TraceModel = "Model";
    public const string TraceState = "State";
    public const string TraceWorkerId = "WorkerId";
    public const string TraceWorkerStartId = "WorkerStartId";

    public DbSet<GenerationJob> Jobs => Set<GenerationJob>();

    public DbSet<GenerationBatch> Batches => Set<GenerationBatch>();

    public DbSet<JobChoice> Choices => Set<JobChoice>();

    public DbSet<JobCheckpointRow> Checkpoints => Set<JobCheckpointRow>();

    public DbSet<JobTrace> Traces => Set<JobTrace>();

    public DbSet<EarlierAttempt> EarlierAttempts => Set<EarlierAttempt>();

    public DbSet<WorkerRow> Workers => Set<WorkerRow>();

    /// <summary>A state as it is stored.</summary>
    public static string ToText(JobState state) =>
        state switch
        {
            JobState.Queued => "queued",
            JobState.Running => "running",
            JobState.Completed => "completed",
            JobState.Failed => "failed",
            _ => "cancelled",
        };

    /// <summary>Adds the trace of an output, to be saved.</summary>
    public void AddTrace(NewTrace added, DateTimeOffset storedAt)
    {
        var (lease, choice, trace, job, state) = added;
        var entry = Entry(trace with { });
        entry.Property(TraceJobId).CurrentValue = lease.JobId;
        entry.Property(TraceChoice).CurrentValue = choice;
        entry.Property(TraceStoredAt).CurrentValue = storedAt;
        entry.Property(TraceBatchId).CurrentValue = job.BatchId;
        entry.Property(TraceWorkload).CurrentValue = job.Workload;
        entry.Property(TraceModel).CurrentValue = job.Model;
        entry.Property(TraceState).CurrentValue = ToText(state);
        entry.Property(TraceWorkerId).CurrentValue = lease.WorkerId;
        entry.Property(TraceWorkerStartId).CurrentValue = job.WorkerStartId;
        entry.State = EntityState.Added;
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<GenerationJob>(job =>
        {
            job.ToTable("generation_jobs").HasKey(row => row.JobId);
            job.Property(row => row.JobId).ValueGeneratedNever();
            job.Property(row => row.State).HasConversion(state => ToText(state), text => Enum.Parse<JobState>(text, true));
            job.Property(row => row.LostStarts).HasDefaultValue(0);
            job.Property(row => row.LostAlone).HasDefaultValue(0);
            job.Property(row => row.TokensAtStart).HasDefaultValue(0);
            job.Property(row => row.IsStarted).HasDefaultValue(false);
            job.Property(row => row.IsAlone).HasDefaultValue(false);
            job.Property(row => row.Reopenings).HasDefaultValue(0);
            job.HasIndex(row => new { row.BatchId, row.State });
            job.HasIndex(row => new { row.BatchId, row.CreatedAt }).HasFilter("batch_id IS NOT NULL"); // results are read in this order
            job.HasIndex(row => row.EndedAt)
                .HasFilter("ended_at IS NOT NULL AND (text IS NOT NULL OR request IS NOT NULL)") // as their pruning looks for them
                .HasDatabaseName("ix_generation_jobs_with_texts");
            job.HasIndex(row => row.WorkerId).HasFilter("state = 'running'");
            job.HasIndex(row => row.CustomId).HasFilter("custom_id IS NOT NULL");
        });
        modelBuilder.Entity<GenerationBatch>(batch =>
        {
            batch.ToTable("generation_batches").HasKey(row => row.BatchId);
            batch.Property(row => row.BatchId).ValueGeneratedNever();
            batch.Property(row => row.CompletedCount).HasDefaultValue(0);
            batch.Property(row => row.FailedCount).HasDefaultValue(0);
            batch.Property(row => row.CancelledCount).HasDefaultValue(0);
            batch.Property(row => row.Reopenings).HasDefaultValue(0);
        });
        modelBuilder.Entity<JobChoice>(choice =>
        {
            choice.ToTable("job_choices").HasKey(row => new { row.JobId, row.Choice });
            choice.Property(row => row.Choice).ValueGeneratedNever();
            choice.HasOne<GenerationJob>().WithMany().HasForeignKey(row => row.JobId);
        });
        modelBuilder.Entity<JobCheckpointRow>(checkpoint =>
        {
            checkpoint.ToTable("job_checkpoints").HasKey(row => new { row.JobId, row.Choice });
            checkpoint.Property(row => row.Choice).ValueGeneratedNever();
            checkpoint.HasOne<GenerationJob>().WithMany().HasForeignKey(row => row.JobId);
        });
        modelBuilder.Entity<EarlierAttempt>(attempt =>
        {
            attempt
                .ToTable("earlier_attempts")
                .HasKey(row => new
                {
                    row.JobId,
                    row.Reopenings,
                    row.Attempt,
                });
            attempt.HasOne<GenerationJob>().WithMany().HasForeignKey(row => row.JobId);
            attempt.HasIndex(row => row.WorkerStartId);
        });
        modelBuilder.Entity<JobTrace>(trace =>
        {
            trace.Property<Guid>(TraceJobId);
            trace.Property<int>(TraceChoice).ValueGeneratedNever();
            trace.Property<DateTimeOffset>(TraceStoredAt);
            trace.Property<Guid?>(TraceBatchId);
            trace.Property<string?>(TraceWorkload);
            trace.Property<string?>(TraceModel);
            trace.Property<string>(TraceState).IsRequired();
            trace.Property<string>(TraceWorkerId).IsRequired();
            trace.Property<Guid?>(TraceWorkerStartId);

            // No foreign key: jobs and traces are kept for as long as each is wanted. The time is in the key because it divides the table.
            trace.ToTable("job_traces").HasKey(TraceJobId, TraceChoice, TraceStoredAt);
            trace.HasIndex(TraceStoredAt);
            trace.HasIndex(TraceBatchId).HasFilter("batch_id IS NOT NULL");
            trace.HasIndex(TraceWorkload, TraceStoredAt);
            trace.HasIndex(TraceWorkerStartId, TraceStoredAt);
        });
        modelBuilder.Entity<WorkerRow>(worker =>
        {
            worker.ToTable("workers").HasKey(row => row.WorkerStartId);
            worker.Property(row => row.WorkerStartId).ValueGeneratedNever();
            worker.HasIndex(row => row.WorkerId);
            worker.HasIndex(row => row.WorkerStartId).HasFilter("ended_at IS NULL"); // those that are there, among all there ever were
        });
    }
}
