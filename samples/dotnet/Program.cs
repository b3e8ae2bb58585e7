// Submits a batch of a job per prompt and follows it to its end, with MassTransit and the package Dsde.Contracts:
//
//     dotnet run -- PROMPT...
//
// The broker is AMQP_URL (default amqp://guest:guest@localhost:5672/), the model DSDE_MODEL (default dsde-demo). docs/interop.md explains
// the rest.
using Dsde.Contracts;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

if (args.Length == 0)
{
    Console.Error.WriteLine("usage: dotnet run -- PROMPT...");
    return 2;
}

var batchId = Guid.CreateVersion7();
var model = Environment.GetEnvironmentVariable("DSDE_MODEL") ?? "dsde-demo";
var jobs = args.Select(
        (prompt, number) =>
            new SubmitGenerationJob
            {
                JobId = Guid.CreateVersion7(),
                BatchId = batchId,
                BatchJobCount = args.Length,
                CustomId = $"prompt-{number}",
                Model = model,
                Prompt = prompt,
                MaxTokens = 24,
                Temperature = 0,
            }
    )
    .ToList();
foreach (var job in jobs)
{
    // What a worker would answer, before anything is sent.
    if (JobRules.FindMistake(job, JobFieldNames.InMessages) is { } mistake)
    {
        Console.Error.WriteLine($"{job.CustomId}: {mistake.Message}");
        return 1;
    }
}

var follower = new Follower(batchId, [.. jobs.Select(job => job.JobId)]);
var builder = Host.CreateApplicationBuilder();
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.Services.AddMassTransit(bus =>
{
    bus.DisableUsageTelemetry();
    bus.UsingRabbitMq(
        (_, rabbitMq) =>
        {
            var address = new Uri(Environment.GetEnvironmentVariable("AMQP_URL") ?? "amqp://guest:guest@localhost:5672/");
            var virtualHost = Uri.UnescapeDataString(address.AbsolutePath.TrimStart('/'));
            var user = address.UserInfo.Split(':');
            rabbitMq.Host(
                address.Host,
                (ushort)(address.IsDefaultPort ? 5672 : address.Port),
                virtualHost.Length > 0 ? virtualHost : "/",
                host =>
                {
                    host.Username(Uri.UnescapeDataString(user[0]));
                    host.Password(Uri.UnescapeDataString(user[^1]));
                }
            );
            rabbitMq.ReceiveEndpoint(new TemporaryEndpointDefinition(), endpoint => endpoint.Instance(follower));
        }
    );
});
using var host = builder.Build();
await host.StartAsync(); // its queue is there before the jobs are sent
var exchange = await host.Services.GetRequiredService<IBus>().GetSendEndpoint(new Uri($"exchange:{QueueNames.GenerationJobs}"));
foreach (var job in jobs)
{
    await exchange.Send(job, send => send.TrySetRoutingKey(QueueNames.RoutingKey(job.Model, isHigh: false)));
}

Console.WriteLine($"batch {batchId}: {jobs.Count} jobs sent");
Console.WriteLine(await follower.Ended);
await host.StopAsync();
return 0;

/// <summary>
/// Prints the ends of a batch's jobs, and knows when all of them and the batch's own have come; that of the batch may come before that of
/// its last job. Each may come more than once: a service that does more than print keeps their message ids.
/// </summary>
internal sealed class Follower(Guid batchId, HashSet<Guid> waiting)
    : IConsumer<GenerationJobCompleted>,
        IConsumer<GenerationJobFailed>,
        IConsumer<GenerationJobCancelled>,
        IConsumer<GenerationBatchCompleted>
{
    private readonly TaskCompletionSource<string> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private string? _end;

    /// <summary>How the batch has ended.</summary>
    public Task<string> Ended => _ended.Task;

    /// <inheritdoc/>
    public Task Consume(ConsumeContext<GenerationJobCompleted> context) =>
        Tell(context.Message.BatchId, context.Message.JobId, context.Message.Text ?? context.Message.TextLocation);

    /// <inheritdoc/>
    public Task Consume(ConsumeContext<GenerationJobFailed> context) =>
        Tell(context.Message.BatchId, context.Message.JobId, $"failed: {context.Message.Code}: {context.Message.Message}");

    /// <inheritdoc/>
    public Task Consume(ConsumeContext<GenerationJobCancelled> context) =>
        Tell(context.Message.BatchId, context.Message.JobId, context.Message.Reason);

    /// <inheritdoc/>
    public Task Consume(ConsumeContext<GenerationBatchCompleted> context)
    {
        var batch = context.Message;
        if (batch.BatchId == batchId)
        {
            lock (_lock)
            {
                _end = $"batch {batchId}: {batch.CompletedCount} completed, {batch.FailedCount} failed, {batch.CancelledCount} cancelled";
                EndIfAllHaveCome();
            }
        }

        return Task.CompletedTask;
    }

    private Task Tell(Guid? batch, Guid job, string? outcome)
    {
        if (batch == batchId)
        {
            lock (_lock)
            {
                Console.WriteLine($"job {job}: {outcome?.ReplaceLineEndings(" ")}");
                waiting.Remove(job);
                EndIfAllHaveCome();
            }
        }

        return Task.CompletedTask;
    }

    private void EndIfAllHaveCome()
    {
        if (_end is not null && waiting.Count == 0)
        {
            _ended.TrySetResult(_end);
        }
    }
}
