using Dsde.Engine;
using Dsde.Persistence;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Telemetry;
using Dsde.Testing;
using Microsoft.Extensions.Configuration;
using YamlDotNet.RepresentationModel;

namespace Dsde.Deployment.Tests;

/// <summary>What the compose file and the chart set are settings that the program has, with values it takes.</summary>
public sealed class SettingsTests
{
    [Fact]
    public void The_compose_files_settings_are_the_programs()
    {
        var services = (YamlMappingNode)Load("docker", "compose.yaml").Children["services"];
        var worker = Settings((YamlMappingNode)((YamlMappingNode)services.Children["worker"]).Children["environment"]);
        var merged = worker
            .Concat(Settings((YamlMappingNode)((YamlMappingNode)Load("docker", "compose.yaml").Children["x-dsde"]).Children["environment"]))
            .ToDictionary();

        ShouldBind(merged);
        int.Parse(((YamlMappingNode)services.Children["worker"]).Children["stop_grace_period"].ToString().TrimEnd('s'))
            .ShouldBeGreaterThan(int.Parse(merged["Dsde__Worker__DrainSeconds"]!) + 10);
    }

    [Fact]
    public void The_charts_settings_are_the_programs()
    {
        var values = Load("helm", "dsde", "values.yaml");
        var settings = Settings((YamlMappingNode)values.Children["settings"]);
        var secrets = Settings((YamlMappingNode)values.Children["secrets"])
            .Keys.ToDictionary(key => key, key => (string?)"Host=a;Database=b");

        ShouldBind(settings.Concat(secrets).ToDictionary());
        int.Parse(values.Children["terminationGracePeriodSeconds"].ToString())
            .ShouldBeGreaterThan(int.Parse(settings["Dsde__Worker__DrainSeconds"]!) + 10);
    }

    [Theory]
    [InlineData("OMP_WAIT_POLICY", "PASSIVE")]
    [InlineData("OMP_PROC_BIND", "false")]
    public void Launcher_image_compose_file_and_chart_set_the_threads_as_the_guide_says(string variable, string value)
    {
        var services = (YamlMappingNode)Load("docker", "compose.yaml").Children["services"];
        var worker = (YamlMappingNode)((YamlMappingNode)services.Children["worker"]).Children["environment"];

        File.ReadAllText(Repository.PathOf("dsde")).ShouldContain($"export {variable}=${{{variable}:-{value}}}");
        File.ReadAllText(Repository.PathOf("docker", "Dockerfile")).ShouldContain($"{variable}={value} ");
        worker.Children[variable].ToString().ShouldBe($"${{{variable}:-{value}}}");
        ((YamlMappingNode)Load("helm", "dsde", "values.yaml").Children["settings"]).Children[variable].ToString().ShouldBe(value);
        File.ReadAllText(Repository.PathOf("docs", "operations.md")).ShouldContain($"| `{variable}` | `{value}` |");
    }

    [Fact]
    public void Every_value_that_the_templates_use_is_in_the_values()
    {
        var values = Load("helm", "dsde", "values.yaml");

        foreach (var template in Directory.GetFiles(Repository.PathOf("helm", "dsde", "templates")))
        {
            foreach (
                System.Text.RegularExpressions.Match used in System.Text.RegularExpressions.Regex.Matches(
                    File.ReadAllText(template),
                    @"\.Values\.([\w.]+)"
                )
            )
            {
                var node = (YamlNode)values;
                foreach (var key in used.Groups[1].Value.Split('.'))
                {
                    node = node.ShouldBeOfType<YamlMappingNode>().Children.TryGetValue(key, out var next)
                        ? next
                        : throw new InvalidOperationException($"{template}: {used.Value} is not in values.yaml.");
                }
            }
        }
    }

    [Fact]
    public void Every_option_of_the_program_is_described_with_its_default_and_nothing_else_is()
    {
        var rows = File.ReadLines(Repository.PathOf("docs", "operations.md"))
            .Where(line => line.StartsWith("| `Dsde:", StringComparison.Ordinal))
            .Select(line => line.Split('|'))
            .ToList();
        var described = rows.SelectMany(row => Keys(row[1])).ToList();

        described.ShouldBeUnique();
        described.ShouldBe(
            [.. Options.SelectMany(options => options.Type.GetProperties().Select(property => $"{options.Section}:{property.Name}"))],
            ignoreOrder: true
        );
        foreach (var row in rows.Where(row => Keys(row[1]).Count() == 1 && row[1].Contains("Dsde:Engine", StringComparison.Ordinal)))
        {
            var option = typeof(EngineOptions).GetProperty(Keys(row[1]).Single().Split(':')[^1]).ShouldNotBeNull();
            row[2]
                .Trim(' ', '`')
                .ShouldBe(
                    Convert.ToString(option.GetValue(new EngineOptions()), System.Globalization.CultureInfo.InvariantCulture),
                    row[1]
                );
        }
    }

    private static readonly (string Section, Type Type)[] Options =
    [
        (EngineOptions.SectionName, typeof(EngineOptions)),
        (WorkerOptions.SectionName, typeof(WorkerOptions)),
        (RabbitMqOptions.SectionName, typeof(RabbitMqOptions)),
        (PersistenceOptions.SectionName, typeof(PersistenceOptions)),
    ];

    /// <summary>A cell names one key, or several as <c>`Section:First` / `Second`</c>.</summary>
    private static IEnumerable<string> Keys(string cell)
    {
        var names = System.Text.RegularExpressions.Regex.Matches(cell, "`([^`]+)`").Select(match => match.Groups[1].Value).ToArray();
        return names.Select((name, i) => i == 0 ? name : names[0][..(names[0].LastIndexOf(':') + 1)] + name);
    }

    private static void ShouldBind(IReadOnlyDictionary<string, string?> environment)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(
                environment.ToDictionary(pair => pair.Key.Replace("__", ":", StringComparison.Ordinal), pair => pair.Value)
            )
            .Build();

        // Reading fails on names and values that the program does not have.
        OptionsReader.Read<EngineOptions>(configuration, EngineOptions.SectionName);
        OptionsReader.Read<WorkerOptions>(configuration, WorkerOptions.SectionName);
        OptionsReader.Read<RabbitMqOptions>(configuration, RabbitMqOptions.SectionName);
        OptionsReader.Read<PersistenceOptions>(configuration, PersistenceOptions.SectionName);
        configuration
            .GetSection("Dsde")
            .GetChildren()
            .Select(section => section.Key)
            .ShouldAllBe(key => new[] { "Engine", "Worker", "RabbitMq", "Persistence" }.Contains(key));
    }

    private static Dictionary<string, string?> Settings(YamlMappingNode node) =>
        node
            .Children.Where(pair => pair.Key.ToString().StartsWith("Dsde__", StringComparison.Ordinal))
            .ToDictionary(pair => pair.Key.ToString(), pair => (string?)pair.Value.ToString());

    private static YamlMappingNode Load(params string[] path)
    {
        var stream = new YamlStream();
        using var reader = File.OpenText(Repository.PathOf(path));
        stream.Load(reader);
        return (YamlMappingNode)stream.Documents[0].RootNode;
    }
}
