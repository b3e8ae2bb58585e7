using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dsde.Persistence.Storage;

/// <summary>Makes contexts of the provider in use.</summary>
internal interface IContextFactory
{
    /// <summary>A context of its own for one piece of work.</summary>
    DsdeDbContext Create();

    /// <summary>A context that tells when something happens.</summary>
    /// <param name="happening">What to tell of.</param>
    /// <param name="tell">Called each time.</param>
    DsdeDbContext Create(EventId happening, Action<EventData> tell);
}

/// <inheritdoc/>
internal sealed class ContextFactory<TContext>(IServiceProvider services, IDbContextFactory<TContext> factory) : IContextFactory
    where TContext : DsdeDbContext
{
    /// <inheritdoc/>
    public DsdeDbContext Create()
    {
        var context = factory.CreateDbContext();
        context.Database.AutoSavepointsEnabled = false; // what fails is rolled back whole; a savepoint is a round trip
        return context;
    }

    /// <inheritdoc/>
    public DsdeDbContext Create(EventId happening, Action<EventData> tell)
    {
        var options = new DbContextOptionsBuilder<TContext>(services.GetRequiredService<DbContextOptions<TContext>>());
        options.LogTo((id, _) => id == happening, tell);
        return ActivatorUtilities.CreateInstance<TContext>(services, options.Options);
    }
}
