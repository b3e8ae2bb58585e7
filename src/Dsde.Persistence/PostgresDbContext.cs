using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence;

/// <summary>On PostgreSQL: series are native arrays, requests are <c>json</c>, which keeps them as they were written.</summary>
internal sealed class PostgresDbContext(DbContextOptions<PostgresDbContext> options) : DsdeDbContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.Entity<Entities.WorkerRow>().Property(row => row.CostProfile).HasColumnType("jsonb");
        modelBuilder.Entity<Jobs.JobTrace>().HasIndex(TraceStoredAt, TraceJobId, TraceChoice); // the order in which traces are read
        modelBuilder.Entity<Entities.GenerationJob>(job =>
        {
            job.Property(row => row.Request).HasColumnType("json");
            job.HasIndex(row => row.CreatedAt).HasMethod("brin"); // rows come in order of time
            job.HasIndex(row => new { row.EndedAt, row.JobId });
        });
    }
}
