using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Storage;

/// <summary>Makes contexts of the provider in use.</summary>
internal interface IContextFactory
{
    /// <summary>A context of its own for one piece of work.</summary>
    DsdeDbContext Create();
}

/// <inheritdoc/>
internal sealed class ContextFactory<TContext>(IDbContextFactory<TContext> factory) : IContextFactory
    where TContext : DsdeDbContext
{
    /// <inheritdoc/>
    public DsdeDbContext Create()
    {
        var context = factory.CreateDbContext();
        context.Database.AutoSavepointsEnabled = false; // what fails is rolled back whole; a savepoint is a round trip
        return context;
    }
}
