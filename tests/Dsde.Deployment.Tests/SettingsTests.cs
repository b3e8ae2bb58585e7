using System.Text.Json;
using Dsde.Engine;
using Dsde.Persistence;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Hosting.Settings;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Telemetry;
using Dsde.Testing;
using Microsoft.Extensions.Configuration;

namespace Dsde.Deployment.Tests;

/// <summary>What the compose file and the chart set are settings that the program has, with values it takes.</summary>
public sealed class SettingsTests
{
    [Fact]
    public void The_compose_files_settings_arrive_in_the_program_as_they_are_written()
    {
        var environment = Compose.Environment("worker");

        ShouldArrive(environment);
        ShouldArrive(Compose.Environment("migration"));
        ShouldLeaveTimeToDrain(Compose.Service("worker").Text("stop_grace_period").TrimEnd('s'), environment);
    }

    [Fact]
    public void The_image_logs_JSON() => Image.Environment.ShouldContainKeyAndValue("Logging__Console__FormatterName", "json");

    [Fact]
    public async Task Image_compose_file_and_chart_agree_about_the_port_of_health_and_metrics()
    {
        var port = Image.Environment["Dsde__Worker__HealthPort"];

        Image.Environment.ShouldContainKeyAndValue("Dsde__Worker__HealthAddress", "0.0.0.0");
        Image.Instructions.Single(instruction => instruction.Name == "EXPOSE").Arguments.ShouldBe([port]);
        Compose.Environment("worker").Keys.ShouldNotContain("Dsde__Worker__HealthPort");
        Compose.Service("worker").At("ports").Items().Single().ToString().ShouldEndWith($":{port}");
        (await Chart.RenderAsync()).Environment.ShouldContainKeyAndValue("Dsde__Worker__HealthPort", port);
    }

    [Fact]
    public async Task The_charts_settings_arrive_in_the_program_as_they_are_written()
    {
        var manifest = await Chart.RenderAsync();

        ShouldArrive(manifest.Environment);
        ShouldLeaveTimeToDrain(manifest.Pod.Text("spec", "terminationGracePeriodSeconds"), manifest.Environment);
    }

    public static TheoryData<string> ValuesFiles => [.. Chart.ValuesFiles];

    [Theory]
    [MemberData(nameof(ValuesFiles))]
    public async Task The_settings_of_every_values_file_arrive_in_the_program_as_they_are_written(string file)
    {
        var manifest = await Chart.RenderAsync(Chart.Secrets, "jobs", "--values", Path.Combine(Chart.Folder, file));

        foreach (var settings in manifest.Of("ConfigMap").Select(made => made.At("data").Texts()))
        {
            settings["Dsde__Persistence__ConnectionString"] = "Host=postgresql"; // a secret
            if (settings.ContainsKey("Dsde__RabbitMq__CaCertificate"))
            {
                settings["Dsde__RabbitMq__CaCertificate"] = Path.Combine(Chart.Folder, file); // has to be a file
            }

            ShouldArrive(settings);
        }

        manifest.Of("ConfigMap").Count().ShouldBe(manifest.Of("Deployment").Count());
    }

    [Fact]
    public void The_charts_schema_takes_the_settings_that_the_program_has_and_no_others()
    {
        using var schema = JsonDocument.Parse(File.ReadAllText(Path.Combine(Chart.Folder, "values.schema.json")));
        var settings = schema.RootElement.GetProperty("$defs").GetProperty("settings");
        var secrets = schema.RootElement.GetProperty("properties").GetProperty("secrets").GetProperty("properties");
        var known = settings.GetProperty("properties").EnumerateObject().Concat(secrets.EnumerateObject()).Select(setting => setting.Name);

        // Lists have a pattern of their own, but for the aliases, which are a pool's.
        known.ShouldBe(
            SettingsReader.Sections.SelectMany(options =>
                options
                    .Value.GetProperties()
                    .Where(property => !property.PropertyType.IsArray)
                    .Select(property => $"{options.Key}:{property.Name}".Replace(":", "__", StringComparison.Ordinal))
            ),
            ignoreOrder: true
        );
    }

    [Fact]
    public async Task Every_setting_of_the_program_can_be_given_to_the_chart_as_the_number_or_truth_value_that_it_is()
    {
        var values = SettingsReader
            .Sections.SelectMany(options => options.Value.GetProperties().Select(property => (Section: options.Key, Property: property)))
            .Where(setting => setting.Property.PropertyType == typeof(int) || setting.Property.PropertyType == typeof(bool))
            .ToDictionary(
                setting => $"{setting.Section}:{setting.Property.Name}".Replace(":", "__", StringComparison.Ordinal),
                setting => setting.Property.PropertyType == typeof(int) ? "41943040" : "true"
            );
        values.Count.ShouldBeGreaterThan(10);

        var manifest = await Chart.RenderAsync(
            Chart.Secrets + "settings:\n" + string.Concat(values.Select(value => $"  {value.Key}: {value.Value}\n"))
        );

        manifest.Environment.Where(pair => values.ContainsKey(pair.Key)).ShouldBe(values, ignoreOrder: true);
    }

    [Theory]
    [InlineData("OMP_WAIT_POLICY", "PASSIVE")]
    [InlineData("OMP_PROC_BIND", "false")]
    public async Task Launcher_image_compose_file_and_chart_set_the_threads_as_the_guide_says(string variable, string value)
    {
        File.ReadAllText(Repository.PathOf("dsde")).ShouldContain($"export {variable}=${{{variable}:-{value}}}");
        Image.Environment.ShouldContainKeyAndValue(variable, value);
        Compose.Environment("worker").ShouldContainKeyAndValue(variable, value);
        (await Chart.RenderAsync()).Environment.ShouldContainKeyAndValue(variable, value);
        File.ReadAllText(Repository.PathOf("docs", "configuration.md")).ShouldContain($"| `{variable}` | `{value}` |");
    }

    [Fact]
    public void Every_value_that_the_templates_use_is_in_the_values()
    {
        var values = Yaml.Load(File.ReadAllText(Repository.PathOf("helm", "dsde", "values.yaml"))).Single();

        foreach (var template in Directory.GetFiles(Repository.PathOf("helm", "dsde", "templates")))
        {
            foreach (
                System.Text.RegularExpressions.Match used in System.Text.RegularExpressions.Regex.Matches(
                    File.ReadAllText(template),
                    @"\.Values\.([\w.]+)"
                )
            )
            {
                values.Find(used.Groups[1].Value.Split('.')).ShouldNotBeNull($"{template}: {used.Value} is not in values.yaml.");
            }
        }
    }

    /// <summary>The environment and the image's have only settings of the program, which reads each as it is written.</summary>
    private static void ShouldArrive(Dictionary<string, string> environment)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(Colons(Image.Environment))
            .AddInMemoryCollection(Colons(environment))
            .Build();

        // Reading fails on names and values that the program does not have.
        var read = new Dictionary<string, object>
        {
            [EngineOptions.SectionName] = new SettingsReader(configuration).Read<EngineOptions>(),
            [WorkerOptions.SectionName] = new SettingsReader(configuration).Read<WorkerOptions>(),
            [RabbitMqOptions.SectionName] = new SettingsReader(configuration).Read<RabbitMqOptions>(),
            [PersistenceOptions.SectionName] = new SettingsReader(configuration).Read<PersistenceOptions>(),
        };
        foreach (var setting in configuration.AsEnumerable().Where(pair => pair.Key.StartsWith("Dsde:", StringComparison.Ordinal)))
        {
            if (setting.Value is not null && !char.IsAsciiDigit(setting.Key[^1]))
            {
                var (section, name) = (setting.Key[..setting.Key.LastIndexOf(':')], setting.Key[(setting.Key.LastIndexOf(':') + 1)..]);
                var property = read[section].GetType().GetProperty(name).ShouldNotBeNull(setting.Key);
                Convert
                    .ToString(property.GetValue(read[section]), System.Globalization.CultureInfo.InvariantCulture)
                    .ShouldBe(setting.Value, setting.Key, StringCompareShould.IgnoreCase);
            }
        }
    }

    private static IEnumerable<KeyValuePair<string, string?>> Colons(Dictionary<string, string> environment) =>
        environment.Select(pair => KeyValuePair.Create(pair.Key.Replace("__", ":", StringComparison.Ordinal), (string?)pair.Value));

    private static void ShouldLeaveTimeToDrain(string graceSeconds, Dictionary<string, string> environment) =>
        int.Parse(graceSeconds, System.Globalization.CultureInfo.InvariantCulture)
            .ShouldBeGreaterThan(
                int.Parse(environment["Dsde__Worker__DrainSeconds"], System.Globalization.CultureInfo.InvariantCulture) + 10
            );
}
