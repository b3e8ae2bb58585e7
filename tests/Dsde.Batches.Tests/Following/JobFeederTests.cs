using System.Threading.Channels;
using Dsde.Batches.Files;
using Dsde.Batches.Following;
using Dsde.Batches.Tests.Files;
using Dsde.Contracts;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace Dsde.Batches.Tests.Following;

public sealed class JobFeederTests : IAsyncDisposable
{
    private const int JobCount = 20;

    private readonly Channel<Guid> _arrived = Channel.CreateUnbounded<Guid>();
    private readonly SemaphoreSlim _ends = new(0);
    private readonly ServiceProvider _services;

    public JobFeederTests() =>
        _services = new ServiceCollection()
            .AddSingleton(_arrived)
            .AddMassTransit(bus =>
            {
                bus.DisableUsageTelemetry();
                bus.AddConsumer<Arrivals>();
                bus.UsingInMemory(
                    (context, configuration) =>
                        configuration.ReceiveEndpoint(QueueNames.GenerationJobs, endpoint => endpoint.ConfigureConsumer<Arrivals>(context))
                );
            })
            .AddLogging()
            .BuildServiceProvider();

    public async ValueTask DisposeAsync()
    {
        await _services.GetRequiredService<IBusControl>().StopAsync();
        await _services.DisposeAsync();
        _ends.Dispose();
    }

    [Fact]
    public async Task No_more_jobs_than_the_window_holds_are_under_way()
    {
        const int Window = 4;
        var sent = 0;
        var feeding = await StartAsync(Window, _ => sent++);

        // Each end makes room for one job more, which is the only thing that lets another arrive.
        for (var ended = 0; ended < JobCount; ended++)
        {
            await _arrived.Reader.ReadAsync(TestContext.Current.CancellationToken);
            sent.ShouldBeLessThanOrEqualTo(ended + Window);
            _ends.Release();
        }

        await feeding;
        sent.ShouldBe(JobCount);
    }

    [Fact]
    public async Task Every_job_arrives_once_under_its_own_id_and_bad_lines_do_not()
    {
        var lines = await LinesAsync();
        await await StartAsync(window: null, _ => { });

        var arrived = new List<Guid>();
        while (arrived.Count < JobCount)
        {
            arrived.Add(await _arrived.Reader.ReadAsync(TestContext.Current.CancellationToken));
        }

        arrived.Order().ShouldBe(lines.Where(line => line.Job is not null).Select(line => line.JobId).Order());
    }

    private async Task<Task> StartAsync(int? window, Action<SubmitGenerationJob> sent)
    {
        var bus = _services.GetRequiredService<IBusControl>();
        await bus.StartAsync(TestContext.Current.CancellationToken);
        var lines = (await LinesAsync()).ToAsyncEnumerable();
        return new JobFeeder((job, token) => bus.SendJobAsync(new Uri($"queue:{QueueNames.GenerationJobs}"), job, token)).SendAsync(
            lines,
            window,
            _ends,
            sent,
            TestContext.Current.CancellationToken
        );
    }

    private static Task<List<BatchFileLine>> LinesAsync() =>
        JobLines.ReadAsync([.. Enumerable.Range(0, JobCount).Select(number => JobLines.Completion(customId: $"job-{number}")), "not JSON"]);

    private sealed class Arrivals(Channel<Guid> arrived) : IConsumer<SubmitGenerationJob>
    {
        public Task Consume(ConsumeContext<SubmitGenerationJob> context) =>
            arrived.Writer.WriteAsync(context.Message.JobId, context.CancellationToken).AsTask();
    }
}
