using System.CommandLine;
using Dsde.Pipeline;
using Dsde.Pipeline.Hosting.Settings;
using Spectre.Console;

namespace Dsde.Worker.Cli;

/// <summary><c>dsde settings</c>: what is in force here, where it is from, and what each setting means.</summary>
internal sealed class SettingsCommand : DsdeCommand
{
    private readonly Argument<string?> _name = new("NAME")
    {
        Description = "A setting, or a part of its key: say what it means, what is allowed and what is the default.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<bool> _markdown = new("--markdown")
    {
        Description = "Write all settings as the tables of docs/configuration.md.",
    };

    public SettingsCommand()
        : base(
            "settings",
            "Show every setting with its value here and where that is from: appsettings.json, the environment or the default. Secrets are "
                + "not shown.",
            "dsde settings",
            "dsde settings BatchSize",
            "dsde settings Dsde:RabbitMq",
            "dsde settings --markdown"
        )
    {
        Add(_name);
        Add(_markdown);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var settings = SettingDescriptions.Read();
        var output = arguments.InvocationConfiguration.Output;
        if (arguments.GetValue(_markdown))
        {
            await output.WriteLineAsync(SettingsTables.Write(settings));
            return ExitCodes.Success;
        }

        var inForce = new ProgramSettings();
        if (arguments.GetValue(_name) is not { } name)
        {
            Print(arguments.InvocationConfiguration, settings, inForce);
            return ExitCodes.Success;
        }

        var asked = settings
            .Where(setting => Names(setting).Any(known => known.Contains(name, StringComparison.OrdinalIgnoreCase)))
            .ToList();
        if (asked.Count == 0)
        {
            throw new ExpectedFailureException(
                $"{name} is not a setting; {SettingNames.Suggest(name, settings.Select(setting => setting.Key))}"
            );
        }

        foreach (var setting in asked)
        {
            await output.WriteLineAsync($"{setting.Key} is {ValueOf(setting, inForce)} ({OriginOf(setting, inForce)})");
            await output.WriteLineAsync($"  {setting.Meaning}");
            await output.WriteLineAsync($"  {setting.Type}{(setting.Allowed.Length > 0 ? $": {setting.Allowed}" : "")}");
            await output.WriteLineAsync($"  default {setting.Default}; {setting.Variable} in the environment");
        }

        return ExitCodes.Success;
    }

    private static void Print(InvocationConfiguration configuration, IReadOnlyList<SettingDescription> settings, ProgramSettings inForce)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("setting").AddColumn("value").AddColumn("from");
        foreach (var setting in settings)
        {
            table.AddRow(Markup.Escape(setting.Key), Markup.Escape(ValueOf(setting, inForce)), Markup.Escape(OriginOf(setting, inForce)));
        }

        Consoles.Create(configuration).Write(table);
    }

    private static IEnumerable<string> Names(SettingDescription setting) => [setting.Key, setting.Variable];

    private static string ValueOf(SettingDescription setting, ProgramSettings inForce)
    {
        var value = setting.ValueIn(inForce.Section(setting.Section));
        return setting.IsSecret && value != "empty" ? "not shown" : value;
    }

    private static string OriginOf(SettingDescription setting, ProgramSettings inForce) => inForce.OriginOf(setting.Key) ?? "default";
}
