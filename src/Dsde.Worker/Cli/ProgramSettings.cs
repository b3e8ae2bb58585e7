using Dsde.Engine;
using Dsde.Persistence;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Worker.Cli;

/// <summary>All settings: appsettings.json of the current folder, then environment variables; the command line comes on top.</summary>
internal sealed class ProgramSettings
{
    private readonly IConfiguration _configuration = new ConfigurationBuilder()
        .SetBasePath(Directory.GetCurrentDirectory())
        .AddJsonFile("appsettings.json", optional: true)
        .AddEnvironmentVariables()
        .Build();

    /// <summary>Section <c>Dsde:Engine</c>.</summary>
    public EngineOptions Engine() => OptionsReader.Read<EngineOptions>(_configuration, EngineOptions.SectionName);

    /// <summary>Section <c>Dsde:Worker</c>.</summary>
    public WorkerOptions Worker() => OptionsReader.Read<WorkerOptions>(_configuration, WorkerOptions.SectionName);

    /// <summary>Section <c>Dsde:RabbitMq</c>.</summary>
    public RabbitMqOptions RabbitMq() => OptionsReader.Read<RabbitMqOptions>(_configuration, RabbitMqOptions.SectionName);

    /// <summary>Section <c>Dsde:Persistence</c>.</summary>
    public PersistenceOptions Persistence() =>
        ConnectionStrings.Require(OptionsReader.Read<PersistenceOptions>(_configuration, PersistenceOptions.SectionName));

    /// <summary>Log levels and the like, for the host.</summary>
    public IConfiguration Configuration => _configuration;
}
