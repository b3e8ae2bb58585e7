using Dsde.Pipeline.Hosting;
using Microsoft.Extensions.Hosting;

namespace Dsde.Pipeline.Tests.Hosting;

/// <summary>Services that end by themselves are told from those that go on, in a host as a worker's is.</summary>
public sealed class EndedServicesTests
{
    [Fact]
    public async Task A_service_that_was_cancelled_by_itself_is_named_and_others_are_not()
    {
        using var cancelled = new GivesUp();
        using var faulted = new Fails();
        using var working = new Works();
        using var done = new Done();
        IHostedService[] services = [working, done];
        IHostedService[] all = [.. services, cancelled];
        foreach (var service in all.Append(faulted))
        {
            await service.StartAsync(TestContext.Current.CancellationToken);
        }

        foreach (var ended in new BackgroundService[] { cancelled, faulted, done })
        {
            await Task.WhenAny(ended.ExecuteTask!);
        }

        EndedServices.FindCancelled(all).ShouldBe(nameof(GivesUp));
        EndedServices.FindCancelled(services).ShouldBeNull();
        EndedServices.RequireUnharmed(all);
        Should
            .Throw<InvalidOperationException>(() => EndedServices.RequireUnharmed([.. all, faulted]))
            .Message.ShouldBe("Fails has failed: a reason");
        await working.StopAsync(TestContext.Current.CancellationToken);
    }

    private sealed class GivesUp : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            using var own = new CancellationTokenSource(TimeSpan.Zero);
            await Task.Delay(Timeout.InfiniteTimeSpan, own.Token);
        }
    }

    private sealed class Fails : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await Task.Yield();
            throw new InvalidDataException("a reason");
        }
    }

    private sealed class Works : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.Delay(Timeout.InfiniteTimeSpan, stoppingToken);
    }

    private sealed class Done : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.CompletedTask;
    }
}
