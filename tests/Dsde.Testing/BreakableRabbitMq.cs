namespace Dsde.Testing;

/// <summary>A RabbitMQ that one test class has to itself, and may stop, kill and choke.</summary>
public sealed class BreakableRabbitMq : RabbitMqServer
{
    /// <summary>The server itself, to stop and start it.</summary>
    public new PrivateServer Server => base.Server;

    /// <summary>
    /// Has the broker write down what was declared so far. RabbitMQ 3.10 answers declarations a second or two before they are on disk;
    /// killed in these, it comes back with quorum queues that have lost their log, elect no leader and owe every answer for ever. What a
    /// test says of a killed broker is meant for one that has been up for longer.
    /// </summary>
    public Task SettleAsync() =>
        DoAsync("ok = mnesia:sync_log(), [ok = dets:sync(Table) || Table <- dets:all()], ok.", "write down what was declared");

    /// <summary>Turns the memory alarm on or off: while it is on, the broker reads nothing more from connections that publish.</summary>
    public Task SetMemoryAlarmAsync(bool isOn) =>
        DoAsync($"vm_memory_monitor:set_vm_memory_high_watermark({(isOn ? "0.000001" : "0.6")}).", "change how much memory it may have");

    private async Task DoAsync(string expression, string what)
    {
        if (await Server.EvaluateAsync(expression) is var answer && answer != "ok")
        {
            throw new InvalidOperationException($"The broker did not {what}: {answer}");
        }
    }
}
