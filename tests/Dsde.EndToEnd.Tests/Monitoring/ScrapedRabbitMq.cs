using Dsde.Testing;

namespace Dsde.EndToEnd.Tests.Monitoring;

/// <summary>A broker that shows its metrics.</summary>
public sealed class ScrapedRabbitMq : RabbitMqServer
{
    /// <summary>Where.</summary>
    public int MetricsPort => Port + 4;

    protected override (string Name, string Value)[] Settings => [("RABBITMQ_PROMETHEUS", "1")];
}
