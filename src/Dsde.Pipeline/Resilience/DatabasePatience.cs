using Dsde.Persistence;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Resilience;

/// <summary>Waits while the database is away.</summary>
internal sealed class DatabasePatience(TimeProvider time, ILogger<DatabasePatience> logger)
    : ServerPatience(time, logger.DatabaseAway, logger.DatabaseBack)
{
    /// <inheritdoc/>
    protected override bool IsPassing(Exception exception) => exception is DatabaseUnavailableException;
}
