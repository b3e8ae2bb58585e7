using Dsde.Engine;
using Dsde.Persistence;
using Dsde.Pipeline;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Hosting.Settings;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Telemetry;
using Microsoft.Extensions.Options;

namespace Dsde.Worker.Cli;

/// <summary>All settings: appsettings.json of the current folder, then environment variables; the command line comes on top.</summary>
internal sealed class ProgramSettings
{
    private const string FileName = "appsettings.json";

    private readonly IConfigurationRoot _configuration;
    private readonly SettingsReader _reader;

    /// <summary>Loads and checks everything that is set.</summary>
    /// <exception cref="ExpectedFailureException">The file can't be read.</exception>
    /// <exception cref="OptionsValidationException">A setting is wrong, whether it will be used or not.</exception>
    public ProgramSettings()
    {
        try
        {
            _configuration = new ConfigurationBuilder()
                .SetBasePath(Directory.GetCurrentDirectory())
                .AddJsonFile(FileName, optional: true)
                .AddEnvironmentVariables()
                .Build();
        }
        catch (InvalidDataException exception)
        {
            throw new ExpectedFailureException($"{FileName} can't be read: {exception.GetBaseException().Message}", exception);
        }

        _reader = new SettingsReader(_configuration);
        _reader.Check();
        LoggingSetup.Check(_configuration);
    }

    /// <summary>Section <c>Dsde:Engine</c>.</summary>
    public EngineOptions Engine() => _reader.Read<EngineOptions>();

    /// <summary>Section <c>Dsde:Worker</c>.</summary>
    public WorkerOptions Worker() => _reader.Read<WorkerOptions>();

    /// <summary>Section <c>Dsde:RabbitMq</c>.</summary>
    public RabbitMqOptions RabbitMq() => _reader.Read<RabbitMqOptions>();

    /// <summary>Section <c>Dsde:Persistence</c>.</summary>
    public PersistenceOptions Persistence() => ConnectionStrings.Require(_reader.Read<PersistenceOptions>());

    /// <summary>Any section, by its name, as it is set; what is missing in it is not missed.</summary>
    public object Section(string name) => _reader.Read(name);

    /// <summary>Where a setting comes from, for people; null for the default.</summary>
    public string? OriginOf(string key) => _reader.OriginOf(key);

    /// <summary>Log levels and the like, for the host.</summary>
    public IConfigurationRoot Configuration => _configuration;
}
