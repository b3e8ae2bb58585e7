using System.IO.Compression;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests.Interop;

/// <summary>The programs of samples, each as it is, against a real broker and a real worker.</summary>
public sealed class SampleProgramTests(SharedWorker shared, RabbitMqServer rabbitMq, ContractsPackage package)
    : IClassFixture<SharedWorker>,
        IClassFixture<ContractsPackage>
{
    private const string Question = "Q: Which day comes after Monday?\nA:";
    private const string Python = "/usr/bin/python3"; // whose packages are Debian's

    private string Address => $"amqp://guest:guest@127.0.0.1:{rabbitMq.Port}/{shared.Worker.VirtualHost}";

    [Fact]
    public async Task Python_sends_a_batch_of_raw_JSON_and_prints_the_outputs_and_the_end_of_the_batch()
    {
        var ended = await RunAsync($"{Python} samples/python/dsde_client.py run $'{Escape(Question)}' 'Story: Once there was'");

        var lines = ShouldBeABatch(ended, jobs: 2);
        foreach (var (jobId, outcome) in Outcomes(lines, @"^job (\S+) \(prompt-\d\): GenerationJobCompleted: (.+)$"))
        {
            outcome[1..^1].ShouldBe((await TextOfAsync(jobId)).Replace("\n", "\\n", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Python_calls_a_batch_off()
    {
        await using var tap = await shared.OpenTapAsync();
        var (batchId, jobId) = (Guid.NewGuid(), Guid.NewGuid());
        await tap.PublishAsync(
            $$"""
            {"jobId":"{{jobId}}","batchId":"{{batchId}}","model":"dsde-demo","prompt":"Story:",
            "maxTokens":900,"choiceCount":64,"ignoreEos":true}
            """
        );
        await Rows.WaitAsync(shared.Worker.ConnectionString, $"SELECT count(*) = 1 FROM generation_jobs WHERE job_id = '{jobId}'");

        var ended = await RunAsync($"{Python} samples/python/dsde_client.py cancel-batch {batchId}");

        ended.ExitCode.ShouldBe(0, ended.Error);
        (await tap.WaitForJobAsync(jobId)).Type.ShouldBe("GenerationJobCancelled");
    }

    [Fact]
    public async Task Curl_sends_a_job_by_the_brokers_HTTP_API_and_prints_its_event()
    {
        var prompt = "Q: Which \"day\" comes\\after Monday?\nA:"; // as JSON would rather not have it

        var ended = await RunAsync($"samples/curl/submit.sh $'{Escape(prompt)}'");

        ended.ExitCode.ShouldBe(0, ended.Error);
        var jobId = Guid.Parse(Regex.Match(ended.Error, "^job (.+) sent\n$").Groups[1].Value);
        var message = JsonDocument.Parse(ended.Output).RootElement.EnumerateArray().ShouldHaveSingleItem();
        var told = JsonDocument.Parse(message.GetProperty("payload").GetString()!).RootElement.GetProperty("message");
        message.GetProperty("exchange").GetString().ShouldBe("Dsde.Contracts:GenerationJobCompleted");
        told.GetProperty("jobId").GetGuid().ShouldBe(jobId);
        told.GetProperty("text").GetString().ShouldBe(await TextOfAsync(jobId));
        (await RequestOfAsync(jobId)).GetProperty("prompt").GetString().ShouldBe(prompt);
        (await rabbitMq.FindQueueAsync(shared.Worker.VirtualHost, $"curl-{jobId}")).ShouldBeNull(); // it has cleared up
    }

    [Fact]
    public async Task Where_no_worker_has_ever_been_curl_says_that_there_is_no_exchange_and_fails()
    {
        var empty = await rabbitMq.CreateVirtualHostAsync();

        var ended = await RunAsync("samples/curl/submit.sh Story:", ("RABBITMQ_VHOST", empty));

        ended.ExitCode.ShouldNotBe(0);
        ended.Error.ShouldMatch("submit.sh: POST exchanges/.*/dsde-generation-jobs/publish: .*no exchange");
    }

    [Fact]
    public async Task A_program_built_from_the_package_with_MassTransit_sends_a_batch_and_prints_the_outputs_and_its_end()
    {
        var ended = await RunAsync($"dotnet '{package.Program}' $'{Escape(Question)}' 'Story: Once there was'");

        var lines = ShouldBeABatch(ended, jobs: 2);
        foreach (var (jobId, outcome) in Outcomes(lines, @"^job (\S+): (.+)$"))
        {
            outcome.ShouldBe((await TextOfAsync(jobId)).ReplaceLineEndings(" "));
        }
    }

    [Fact]
    public async Task The_packages_rules_refuse_what_a_worker_would_before_anything_is_sent()
    {
        await using var tap = await shared.OpenTapAsync();

        var ended = await RunAsync($"dotnet '{package.Program}' ''");

        ended.ExitCode.ShouldBe(1);
        ended.Error.Trim().ShouldBe("prompt-0: prompt is empty; give at least one character.");
        var jobId = Guid.NewGuid();
        await tap.PublishAsync($$"""{"jobId":"{{jobId}}","model":"dsde-demo","prompt":""}""");
        (await tap.WaitForJobAsync(jobId)).Message.GetProperty("message").GetString().ShouldBe(ended.Error.Trim()["prompt-0: ".Length..]);
    }

    [Fact]
    public void The_package_has_a_README_a_license_descriptions_of_all_that_is_public_and_one_dependency()
    {
        package.Built.ShouldNotBeNull().Output.ShouldContain("0 Warning(s)");
        using var archive = ZipFile.OpenRead(package.File);
        var names = archive.Entries.Select(entry => entry.FullName).ToList();
        names.ShouldContain("README.md");
        names.ShouldContain("lib/net10.0/Dsde.Contracts.dll");
        var manifest = Read(archive, "Dsde.Contracts.nuspec").Root.ShouldNotBeNull();
        Value(manifest, "license").ShouldBe("Apache-2.0");
        Value(manifest, "readme").ShouldBe("README.md");
        Value(manifest, "description").ShouldNotBeNullOrWhiteSpace();
        manifest
            .Descendants()
            .Where(element => element.Name.LocalName == "dependency")
            .Select(element => (string?)element.Attribute("id"))
            .ShouldBe(["MassTransit.Abstractions"]);

        var described = Read(archive, "lib/net10.0/Dsde.Contracts.xml")
            .Descendants("member")
            .Select(member => (string?)member.Attribute("name"))
            .ToHashSet();
        var types = typeof(Contracts.SubmitGenerationJob).Assembly.GetExportedTypes();
        types.Length.ShouldBeGreaterThan(15);
        types.Where(type => !described.Contains($"T:{type.FullName?.Replace('+', '.')}")).ShouldBeEmpty();
    }

    private static XDocument Read(ZipArchive archive, string name)
    {
        using var content = archive.Entries.Single(entry => entry.FullName == name).Open();
        return XDocument.Load(content);
    }

    private static string? Value(XElement manifest, string name) =>
        manifest.Descendants().SingleOrDefault(element => element.Name.LocalName == name)?.Value;

    /// <summary>Runs a command as it is typed, from the root of the sources.</summary>
    private Task<DsdeProgram.Ended> RunAsync(string command, params (string Name, string Value)[] settings) =>
        DsdeProgram.RunTypedAsync(
            [
                ("AMQP_URL", Address),
                ("RABBITMQ_API", $"http://guest:guest@127.0.0.1:{rabbitMq.Port + 3}/api"),
                ("RABBITMQ_VHOST", shared.Worker.VirtualHost),
                .. settings,
            ],
            command
        );

    private static string[] ShouldBeABatch(DsdeProgram.Ended ended, int jobs)
    {
        ended.ExitCode.ShouldBe(0, ended.Output + ended.Error);
        var lines = ended.Output.Trim().Split('\n');
        lines.Length.ShouldBe(jobs + 2, ended.Output);
        lines[0].ShouldMatch($"^batch [0-9a-f-]+: {jobs} jobs sent");
        lines[^1].ShouldMatch($"^batch [0-9a-f-]+: {jobs} completed, 0 failed, 0 cancelled$");
        return lines;
    }

    private static IEnumerable<(Guid JobId, string Outcome)> Outcomes(string[] lines, string pattern) =>
        lines[1..^1]
            .Select(line =>
            {
                var match = Regex.Match(line, pattern);
                match.Success.ShouldBeTrue(line);
                return (Guid.Parse(match.Groups[1].Value), match.Groups[2].Value);
            });

    private async Task<string> TextOfAsync(Guid jobId) =>
        (await Rows.ReadAsync(shared.Worker.ConnectionString, $"SELECT text FROM generation_jobs WHERE job_id = '{jobId}'"))[0]
            [0]
            .ShouldBeOfType<string>();

    private async Task<JsonElement> RequestOfAsync(Guid jobId) =>
        JsonDocument
            .Parse(
                (
                    await Rows.ReadAsync(
                        shared.Worker.ConnectionString,
                        $"SELECT request::text FROM generation_jobs WHERE job_id = '{jobId}'"
                    )
                )[0]
                    [0]
                    .ShouldBeOfType<string>()
            )
            .RootElement;

    /// <summary>As it stands between <c>$'</c> and <c>'</c> in a shell.</summary>
    private static string Escape(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace("'", "\\'", StringComparison.Ordinal)
            .Replace("\n", "\\n", StringComparison.Ordinal);
}
