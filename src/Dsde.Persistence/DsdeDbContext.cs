using Dsde.Persistence.Entities;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence;

/// <summary>The one model of both databases.</summary>
internal abstract class DsdeDbContext(DbContextOptions options) : DbContext(options)
{
    public DbSet<GenerationJob> Jobs => Set<GenerationJob>();

    public DbSet<GenerationBatch> Batches => Set<GenerationBatch>();

    public DbSet<JobChoice> Choices => Set<JobChoice>();

    public DbSet<JobTraceRow> Traces => Set<JobTraceRow>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<GenerationJob>(job =>
        {
            job.ToTable("generation_jobs").HasKey(row => row.JobId);
            job.Property(row => row.JobId).ValueGeneratedNever();
            job.Property(row => row.State).HasConversion(state => ToText(state), text => Enum.Parse<Jobs.JobState>(text, true));
            job.HasIndex(row => new { row.BatchId, row.State });
            job.HasIndex(row => row.WorkerId).HasFilter("state = 'running'");
        });
        modelBuilder.Entity<GenerationBatch>(batch =>
        {
            batch.ToTable("generation_batches").HasKey(row => row.BatchId);
            batch.Property(row => row.BatchId).ValueGeneratedNever();
        });
        modelBuilder.Entity<JobChoice>(choice =>
        {
            choice.ToTable("job_choices").HasKey(row => new { row.JobId, row.Choice });
            choice.Property(row => row.Choice).ValueGeneratedNever();
            choice.HasOne<GenerationJob>().WithMany().HasForeignKey(row => row.JobId);
        });
        modelBuilder.Entity<JobTraceRow>(trace =>
        {
            trace.ToTable("job_traces").HasKey(row => new { row.JobId, row.Choice });
            trace.Property(row => row.JobId).ValueGeneratedNever();
            trace.Property(row => row.Choice).ValueGeneratedNever();
            trace.HasOne<GenerationJob>().WithMany().HasForeignKey(row => row.JobId);
            trace.HasIndex(row => row.StoredAt);
        });
    }

#pragma warning disable CA1308 // states are stored in lower case
    private static string ToText(Jobs.JobState state) => state.ToString().ToLowerInvariant();
#pragma warning restore CA1308
}
