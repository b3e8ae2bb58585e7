using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence;

/// <summary>On PostgreSQL: series are native arrays, requests are <c>json</c>, which keeps them as they were written.</summary>
internal sealed class PostgresDbContext(DbContextOptions<PostgresDbContext> options) : DsdeDbContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.Entity<Entities.GenerationJob>().Property(row => row.Request).HasColumnType("json");
    }
}
