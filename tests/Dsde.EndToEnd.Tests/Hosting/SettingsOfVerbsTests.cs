using Dsde.Testing;

namespace Dsde.EndToEnd.Tests.Hosting;

/// <summary>What is set wrongly is said by every verb in the same line, whether the verb would use it or not.</summary>
public sealed class SettingsOfVerbsTests
{
    public static TheoryData<string> Verbs =>
        [
            "worker",
            "run samples/mixed.jsonl",
            "submit samples/mixed.jsonl",
            "status 7e6f0a52-5a38-4f3e-9f0c-2f1a6d1f4a11",
            "cancel 7e6f0a52-5a38-4f3e-9f0c-2f1a6d1f4a11",
            "results 7e6f0a52-5a38-4f3e-9f0c-2f1a6d1f4a11 samples/mixed.jsonl",
            "errors list",
            "db migrate",
            "db status --provider sqlite --connection Filename=:memory:",
            "model inspect models/dsde-demo-target",
            "bench",
        ];

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task A_misspelt_section_a_misspelt_key_and_wrong_values_are_a_line_each(string verb)
    {
        (string, string)[] settings =
        [
            ("Dsde__Enginee__BatchSize", "4"),
            ("Dsde__Worker__LeaseSecond", "30"),
            ("Dsde__RabbitMq__Port", "amqp"),
            ("Dsde__Engine__BatchSize", "0"),
            ("Dsde__RabbitMq__Pasword", "very-secret"),
        ];

        var ended = await DsdeProgram.RunAsync(settings, verb.Split(' '));

        ended.ExitCode.ShouldBe(2);
        ended.Output.ShouldBeEmpty();
        ended
            .Error.Trim()
            .Split('\n')
            .Select(line => line.Replace("dsde: ", "", StringComparison.Ordinal).Trim())
            .ShouldBe(
                [
                    "Dsde:Enginee is not a section of the settings (Dsde__Enginee__BatchSize in the environment); the nearest is "
                        + "Dsde:Engine.",
                    "Dsde:Worker:LeaseSecond is not a setting (Dsde__Worker__LeaseSecond in the environment); "
                        + "the nearest is Dsde:Worker:LeaseSeconds.",
                    "Dsde:RabbitMq:Port is 'amqp' (Dsde__RabbitMq__Port in the environment); give a whole number from 1 to 65535.",
                    "Dsde:Engine:BatchSize is '0' (Dsde__Engine__BatchSize in the environment); give a whole number from 1 to 1024.",
                    "Dsde:RabbitMq:Pasword is not a setting (Dsde__RabbitMq__Pasword in the environment); "
                        + "the nearest is Dsde:RabbitMq:Password.",
                ],
                ignoreOrder: true
            );
    }

    [Fact]
    public async Task A_broken_settings_file_and_a_level_that_is_none_are_a_line_each()
    {
        using var folder = new ScratchFolder();
        folder.Write("appsettings.json", "{ \"Dsde\": {");

        var broken = await DsdeProgram.RunInAsync(folder.Path, [], "db", "status");
        var level = await DsdeProgram.RunAsync(
            [("Logging__LogLevel__Default", "Chatty"), ("Logging__Console__FormatterName", "jsn")],
            "db",
            "status"
        );

        broken.ExitCode.ShouldBe(2);
        broken.Error.Trim().Split('\n').ShouldHaveSingleItem().ShouldStartWith("dsde: appsettings.json can't be read: ");
        level.ExitCode.ShouldBe(2);
        level.Error.ShouldContain(
            "Logging:LogLevel:Default is 'Chatty' (Logging__LogLevel__Default in the environment); give Trace, Debug,"
        );
        level.Error.ShouldContain("Logging:Console:FormatterName is 'jsn'");
    }
}
