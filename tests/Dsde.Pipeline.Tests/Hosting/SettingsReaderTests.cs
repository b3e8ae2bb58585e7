using Dsde.Engine;
using Dsde.Persistence;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Hosting.Settings;
using Dsde.Pipeline.Messaging;
using Dsde.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Dsde.Pipeline.Tests.Hosting;

/// <summary>Settings as they are read by every verb.</summary>
public sealed class SettingsReaderTests
{
    [Theory]
    [InlineData("Dsde:Enginee:BatchSize", "4", "Dsde:Enginee is not a section of the settings; the nearest is Dsde:Engine.")]
    [InlineData("Dsde:Wroker:WorkerId", "a", "Dsde:Wroker is not a section of the settings; the nearest is Dsde:Worker.")]
    [InlineData("Dsde:Colour", "red", "Dsde:Colour is not a section of the settings; there are Dsde:Engine, Dsde:Worker, ")]
    [InlineData("Dsde:Engine", "4", "Dsde:Engine has a value, but it is a section; set its keys, as Dsde:Engine:Target.")]
    [InlineData("Dsde:Engine:BatchSzie", "4", "Dsde:Engine:BatchSzie is not a setting; the nearest is Dsde:Engine:BatchSize.")]
    [InlineData("Dsde:Engine:batch_size", "4", "Dsde:Engine:batch_size is not a setting; the nearest is Dsde:Engine:BatchSize.")]
    [InlineData("Dsde:Persistence:Colour", "red", "Dsde:Persistence:Colour is not a setting; there are Dsde:Persistence:Provider, ")]
    [InlineData("Dsde:Engine:BatchSize:Large", "4", "Dsde:Engine:BatchSize:Large is not a setting; Dsde:Engine:BatchSize is one.")]
    [InlineData("Dsde:Engine:BatchSize", "many", "Dsde:Engine:BatchSize is 'many'; give a whole number from 1 to 1024.")]
    [InlineData("Dsde:Engine:BatchSize", "", "Dsde:Engine:BatchSize is ''; give a whole number from 1 to 1024.")]
    [InlineData("Dsde:Engine:BatchSize", "4.5", "Dsde:Engine:BatchSize is '4.5'; give a whole number from 1 to 1024.")]
    [InlineData("Dsde:Engine:ProfileSeconds", "0", "Dsde:Engine:ProfileSeconds is '0'; give a number from 0.01 to 600.")]
    [InlineData("Dsde:Engine:ProfileSeconds", "long", "Dsde:Engine:ProfileSeconds is 'long'; give a number from 0.01 to 600.")]
    [InlineData("Dsde:Engine:DataType", "fp8", "Dsde:Engine:DataType is 'fp8'; DataType must be auto, bf16, fp16 or fp32.")]
    [InlineData("Dsde:Worker:StorePrompts", "yes", "Dsde:Worker:StorePrompts is 'yes'; give true or false.")]
    [InlineData("Dsde:Worker:HealthPort", "0", "Dsde:Worker:HealthPort is '0'; give a port from 1 to 65535, auto or none.")]
    [InlineData("Dsde:Worker:StatusPage", "on", "Dsde:Worker:StatusPage is 'on'; give auto, true or false.")]
    [InlineData("Dsde:Worker:HealthAddress", "here", "Dsde:Worker:HealthAddress is 'here'; give an IP address of this machine, or ")]
    [InlineData(
        "Dsde:Worker:Models",
        "m1",
        "Dsde:Worker:Models is 'm1'; it is a list, set Dsde:Worker:Models:0 (Dsde__Worker__Models__0 in "
    )]
    [InlineData("Dsde:Worker:Models:first", "m1", "Dsde:Worker:Models:first is not an entry of a list; entries are Dsde:Worker:Models:0, ")]
    [InlineData("Dsde:Worker:Models:0", "a/b", "Dsde:Worker:Models:0 is 'a/b'; give ASCII letters, digits, ")]
    [InlineData("Dsde:Worker:Models:0", "small.high", "Dsde:Worker:Models:0 is 'small.high'; give ASCII letters, digits, ")]
    [InlineData("Dsde:Worker:DefaultModel", "a model", "Dsde:Worker:DefaultModel is 'a model'; give ASCII letters, digits, ")]
    [InlineData("Dsde:Worker:ModelWaitSeconds", "0", "Dsde:Worker:ModelWaitSeconds is '0'; give a whole number from 1 to 2592000.")]
    [InlineData("Dsde:RabbitMq:PasswordFile", "/nowhere", "Dsde:RabbitMq:PasswordFile is '/nowhere'; the file is not there.")]
    [InlineData("Dsde:RabbitMq:CaCertificate", "/dev/null", "Dsde:RabbitMq:CaCertificate is '/dev/null'; UseTls is false, ")]
    public void A_mistake_is_one_line_with_its_key_its_value_and_what_is_allowed(string key, string value, string line) =>
        Mistakes((key, value)).ShouldHaveSingleItem().ShouldStartWith(line);

    [Fact]
    public void A_status_page_that_nothing_would_serve_is_refused() =>
        Mistakes(("Dsde:Worker:StatusPage", "true"), ("Dsde:Worker:HealthPort", "none"))
            .ShouldHaveSingleItem()
            .ShouldBe(
                "Dsde:Worker:StatusPage is 'true'; HealthPort is none, so that there is nothing to serve it: give auto or false, or a port."
            );

    [Fact]
    public void All_mistakes_are_told_at_once() =>
        Mistakes(("Dsde:Enginee:A", "1"), ("Dsde:Worker:A", "1"), ("Dsde:Worker:LeaseSeconds", "1"), ("Dsde:RabbitMq:Port", "0"))
            .Count.ShouldBe(4);

    [Fact]
    public void A_mistake_in_a_file_is_told_with_its_file()
    {
        using var folder = new ScratchFolder();
        var path = folder.Write("appsettings.json", """{ "Dsde": { "Engine": { "Thread": 4 } } }""");

        var reader = new SettingsReader(new ConfigurationBuilder().AddJsonFile(path).Build());

        Should
            .Throw<OptionsValidationException>(reader.Check)
            .Failures.ShouldBe(["Dsde:Engine:Thread is not a setting (in appsettings.json); the nearest is Dsde:Engine:Threads."]);
    }

    [Theory]
    [InlineData("Dsde:RabbitMq:Pasword")]
    [InlineData("Dsde:Persistance:ConnectionString")]
    [InlineData("Dsde:RabbitMq:Password:0")]
    public void A_secret_is_not_repeated_even_under_a_misspelt_key(string key) =>
        Mistakes((key, "very-secret")).ShouldHaveSingleItem().ShouldNotContain("secret");

    [Fact]
    public void What_is_missing_is_missed_only_by_who_reads_the_section()
    {
        var reader = Reader();

        reader.Check();
        reader.Read<EngineOptions>().BatchSize.ShouldBe(8);
        Should
            .Throw<OptionsValidationException>(() => reader.Read<PersistenceOptions>())
            .Failures.ShouldHaveSingleItem()
            .ShouldStartWith("Dsde:Persistence:ConnectionString is missing (Dsde__Persistence__ConnectionString in the environment): give");
    }

    [Fact]
    public void A_list_that_is_set_replaces_the_default_one()
    {
        Reader(("Dsde:Worker:Models:0", "m1")).Read<WorkerOptions>().Models.ShouldBe(["m1"]);
        Reader(("Dsde:Worker:Models:0", "m1"), ("Dsde:Worker:Models:1", "m2")).Read<WorkerOptions>().Models.ShouldBe(["m1", "m2"]);
        Reader(("Dsde:Worker:WorkerId", "a")).Read<WorkerOptions>().Models.ShouldBe(["dsde-demo"]);
    }

    [Fact]
    public void Every_list_of_the_options_is_replaced_by_what_is_set()
    {
        foreach (var (section, type) in SettingsReader.Sections)
        {
            foreach (var list in type.GetProperties().Where(property => property.PropertyType != typeof(string)))
            {
                var isList = typeof(System.Collections.IEnumerable).IsAssignableFrom(list.PropertyType);
                isList.ShouldBe(list.PropertyType.IsArray, $"{section}:{list.Name} would be added to, not replaced: make it an array.");
            }
        }
    }

    [Fact]
    public void Keys_may_be_in_any_case() => Reader(("DSDE:ENGINE:BATCHSIZE", "3")).Read<EngineOptions>().BatchSize.ShouldBe(3);

    private static IReadOnlyList<string> Mistakes(params (string Key, string Value)[] settings) =>
        [.. Should.Throw<OptionsValidationException>(Reader(settings).Check).Failures];

    private static SettingsReader Reader(params (string Key, string Value)[] settings) =>
        new(
            new ConfigurationBuilder()
                .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)))
                .Build()
        );
}
