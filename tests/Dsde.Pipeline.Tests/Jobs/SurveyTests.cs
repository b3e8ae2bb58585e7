using Dsde.Contracts;
using Dsde.Engine;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Jobs.Run;

namespace Dsde.Pipeline.Tests.Jobs;

/// <summary>Telemetry level <c>replay</c>: outputs are worked through again, for their traces alone.</summary>
public sealed class SurveyTests : IAsyncLifetime
{
    private JobLife? _life;

    private JobLife Life => _life ?? throw new InvalidOperationException("Not initialised.");

    public async ValueTask InitializeAsync() => _life = await JobLife.CreateAsync();

    public ValueTask DisposeAsync() => Life.DisposeAsync();

    [Fact]
    public async Task At_level_replay_an_output_is_surveyed_and_the_survey_is_stored_with_its_trace()
    {
        GenerationRequest? survey = null;
        var engine = new ScriptedEngine(
            (request, _) =>
            {
                survey = request.IsSurvey ? request : survey;
                return Task.FromResult(ScriptedEngine.Result(request));
            }
        );
        await Life.CreateWorker(engine, new WorkerOptions { TelemetryLevel = "replay" }).RunToEndAsync(Greedy());

        engine.Requests.ShouldBe(2);
        survey.ShouldNotBeNull().Policy.ShouldNotBeNull().ToString().ShouldBe("static:64");
        (await CountAsync("level = 'replay' AND survey_length IS NOT NULL AND survey_kld IS NOT NULL")).ShouldBe(1);
    }

    [Theory]
    [InlineData("failure")]
    [InlineData("another output")]
    [InlineData("interruption")]
    public async Task A_survey_that_comes_to_nothing_costs_the_trace_its_level_and_the_job_nothing(string what)
    {
        var engine = new ScriptedEngine(
            (request, _) =>
                !request.IsSurvey ? Task.FromResult(ScriptedEngine.Result(request))
                : what == "failure" ? Task.FromException<GenerationResult>(new EngineFailureException("no"))
                : what == "interruption" ? Task.FromCanceled<GenerationResult>(new CancellationToken(true))
                : Task.FromResult(ScriptedEngine.Result(request) with { TokenIds = [1, 2, 4] })
        );
        await Life.CreateWorker(engine, new WorkerOptions { TelemetryLevel = "replay" }).RunToEndAsync(Greedy());

        (await CountAsync("level = 'tokens' AND survey_length IS NULL AND state = 'completed'")).ShouldBe(1);
    }

    [Fact]
    public async Task What_was_drawn_by_rejection_or_is_not_chosen_is_not_surveyed()
    {
        var engine = new ScriptedEngine((request, _) => Task.FromResult(ScriptedEngine.Result(request)));
        await Life.CreateWorker(engine, new WorkerOptions { TelemetryLevel = "replay" }).RunToEndAsync(Greedy() with { Temperature = 1 });
        await Life.CreateWorker(engine, new WorkerOptions { ReplaySampling = 0 }).RunToEndAsync(Greedy());

        engine.Requests.ShouldBe(2);
    }

    [Fact]
    public void A_share_of_jobs_is_chosen_by_their_ids()
    {
        var ids = Enumerable.Range(0, 4000).Select(i => new Guid(i, 0, 0, new byte[8])).ToList();

        ids.Count(id => ReplaySampling.Takes(id, 0.25)).ShouldBeInRange(880, 1120);
        ids.ShouldAllBe(id => ReplaySampling.Takes(id, 1));
        ids.ShouldAllBe(id => !ReplaySampling.Takes(id, 0));
        ids.ShouldAllBe(id => !ReplaySampling.Takes(id, 0.1) || ReplaySampling.Takes(id, 0.2));
    }

    private static SubmitGenerationJob Greedy() => JobLife.Job() with { Temperature = 0 };

    private Task<long> CountAsync(string condition) => Life.QueryAsync($"SELECT count(*) FROM job_traces WHERE {condition}");
}
