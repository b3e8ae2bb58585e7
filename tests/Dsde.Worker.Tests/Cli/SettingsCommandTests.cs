using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Dsde.Pipeline.Hosting.Settings;
using Dsde.Testing;
using Dsde.Worker.Cli;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Dsde.Worker.Tests.Cli;

/// <summary>What the program says of its settings is complete and true, and docs/configuration.md says the same.</summary>
public sealed partial class SettingsCommandTests
{
    private static readonly IReadOnlyList<SettingDescription> Settings = SettingDescriptions.Read();

    public static TheoryData<string> Keys => [.. Settings.Select(setting => setting.Key)];

    /// <summary>Those that take one of some names.</summary>
    public static TheoryData<string> KeysOfNames =>
        [.. Settings.Where(setting => PatternOf(setting) is { } pattern && NamesOnly().IsMatch(pattern)).Select(setting => setting.Key)];

    [Fact]
    public async Task The_document_has_the_tables_that_the_program_writes()
    {
        var page = await File.ReadAllTextAsync(Repository.PathOf("docs", "configuration.md"), TestContext.Current.CancellationToken);

        var ended = await CommandLine.RunAsync("settings", "--markdown");

        ended.ExitCode.ShouldBe(ExitCodes.Success, ended.Error);
        page.ShouldContain($"<!-- settings -->\n\n{ended.Output}\n<!-- /settings -->\n", customMessage: "Run eng/configuration.sh.");
        foreach (var setting in Settings)
        {
            ended.Output.ShouldContain($"| `{setting.Key}`<br>`{setting.Variable}` |");
        }
    }

    [Fact]
    public void Every_setting_of_every_section_is_described() =>
        Settings
            .Select(setting => setting.Key)
            .ShouldBe(
                SettingsReader.Sections.SelectMany(section =>
                    section.Value.GetProperties().Select(property => $"{section.Key}:{property.Name}")
                )
            );

    [Theory]
    [MemberData(nameof(Keys))]
    public void A_setting_is_described_with_the_default_and_the_range_that_it_has(string key)
    {
        var setting = Find(key);

        setting.Meaning.Length.ShouldBeGreaterThan(4);
        Regex
            .IsMatch(setting.Default.Replace("`", "", StringComparison.Ordinal), $@"^{Regex.Escape(DefaultOf(setting))}(\W|$)")
            .ShouldBeTrue($"{key}: its comment says that the default is {setting.Default}, but it is {DefaultOf(setting)}");
        if (setting.Property.GetCustomAttribute<RangeAttribute>() is { } range)
        {
            var numbers = Numbers().Matches(setting.Allowed).Select(match => match.Value).ToList();
            numbers.ShouldContain(Convert.ToString(range.Minimum, CultureInfo.InvariantCulture), key);
            numbers.ShouldContain(Convert.ToString(range.Maximum, CultureInfo.InvariantCulture), key);
        }
        else
        {
            (setting.Allowed.Length > 0).ShouldBe(setting.Property.PropertyType != typeof(bool), key);
        }
    }

    [Theory]
    [MemberData(nameof(KeysOfNames))]
    public void The_names_that_are_said_to_be_allowed_are_those_that_are(string key)
    {
        var setting = Find(key);

        Names()
            .Matches(setting.Allowed)
            .Select(match => match.Groups[1].Value)
            .ShouldBe(PatternOf(setting)!.Split('|'), ignoreOrder: true, key);
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void A_setting_that_is_set_arrives_in_the_program_and_is_said_to_be_set(string key)
    {
        var setting = Find(key);
        using var folder = new ScratchFolder("settings");
        string[] candidates =
        [
            .. Names().Matches(setting.Allowed).Select(match => match.Groups[1].Value),
            "true",
            "false",
            "7",
            "2048",
            "0.5",
            "127.0.0.2",
            folder.Write("file", "content"),
        ];
        var taken = candidates.FirstOrDefault(candidate => IsTaken(setting, candidate));

        taken.ShouldNotBeNull($"No value was found that changes {key}.");
    }

    [Fact]
    public async Task Without_a_name_every_setting_is_shown_with_its_value_and_no_secret_is()
    {
        var ended = await CommandLine.RunAsync("settings");

        ended.ExitCode.ShouldBe(ExitCodes.Success, ended.Error);
        Settings.ShouldAllBe(setting => ended.Output.Contains($"{setting.Key} "));
        ended.Output.ShouldMatch(@"Dsde:Engine:BatchSize +8 +default");
        ended.Output.ShouldMatch(@"Dsde:RabbitMq:Password +not shown +default");
    }

    [Theory]
    [InlineData("Dsde:Engine:BatchSize")]
    [InlineData("batchsize")]
    [InlineData("Dsde__Engine__BatchSize")]
    public async Task With_a_name_it_is_said_what_the_setting_means_and_may_be(string name)
    {
        var ended = await CommandLine.RunAsync("settings", name);

        ended.ExitCode.ShouldBe(ExitCodes.Success, ended.Error);
        ended
            .Output.TrimEnd()
            .Split('\n')
            .ShouldBe([
                "Dsde:Engine:BatchSize is 8 (default)",
                "  Most sequences that run at once.",
                "  whole number: Sequences, 1 to 1024",
                "  default 8; Dsde__Engine__BatchSize in the environment",
            ]);
    }

    [Fact]
    public async Task A_name_that_is_none_is_answered_with_the_nearest()
    {
        var ended = await CommandLine.RunAsync("settings", "BatchSzie");

        ended.ExitCode.ShouldBe(ExitCodes.SetupError);
        ended.Error.ShouldBe($"dsde: BatchSzie is not a setting; the nearest is Dsde:Engine:BatchSize.{Environment.NewLine}");
    }

    private static SettingDescription Find(string key) => Settings.Single(setting => setting.Key == key);

    private static string? PatternOf(SettingDescription setting) =>
        setting.Property.GetCustomAttribute<RegularExpressionAttribute>()?.Pattern;

    private static string DefaultOf(SettingDescription setting) =>
        setting.ValueIn(Activator.CreateInstance(setting.Property.DeclaringType!)!);

    private static bool IsTaken(SettingDescription setting, string value)
    {
        var key = setting.Property.PropertyType.IsArray ? $"{setting.Key}:0" : setting.Key;
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["Dsde:RabbitMq:UseTls"] = "true", [key] = value })
            .Build();
        var reader = new SettingsReader(configuration);
        try
        {
            var read = setting.ValueIn(reader.Read(setting.Section));
            return read == value && read != DefaultOf(setting) && reader.OriginOf(setting.Key) is not null;
        }
        catch (OptionsValidationException)
        {
            return false;
        }
    }

    [GeneratedRegex(@"[0-9.]*[0-9]")]
    private static partial Regex Numbers();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Names();

    [GeneratedRegex(@"^[a-z0-9|-]+$")]
    private static partial Regex NamesOnly();
}
