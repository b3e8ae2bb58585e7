using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence;

/// <summary>The one model of both databases.</summary>
internal abstract class DsdeDbContext(DbContextOptions options) : DbContext(options)
{
    public DbSet<GenerationJob> Jobs => Set<GenerationJob>();

    public DbSet<GenerationBatch> Batches => Set<GenerationBatch>();

    public DbSet<JobChoice> Choices => Set<JobChoice>();

    public DbSet<JobCheckpointRow> Checkpoints => Set<JobCheckpointRow>();

    public DbSet<JobTraceRow> Traces => Set<JobTraceRow>();

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
            job.HasIndex(row => row.WorkerId).HasFilter("state = 'running'");
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
        modelBuilder.Entity<JobTraceRow>(trace =>
        {
            trace.ToTable("job_traces").HasKey(row => new { row.JobId, row.Choice });
            trace.Property(row => row.JobId).ValueGeneratedNever();
            trace.Property(row => row.Choice).ValueGeneratedNever();
            trace.HasOne<GenerationJob>().WithMany().HasForeignKey(row => row.JobId);
            trace.HasIndex(row => row.StoredAt);
        });
        modelBuilder.Entity<WorkerRow>(worker => worker.ToTable("workers").HasKey(row => row.WorkerId));
    }
}
