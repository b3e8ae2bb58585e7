namespace Dsde.Testing;

/// <summary>A RabbitMQ that one test class has to itself, and may stop, kill and choke.</summary>
public sealed class BreakableRabbitMq : RabbitMqServer
{
    /// <summary>The server itself, to stop and start it.</summary>
    public new PrivateServer Server => base.Server;

    /// <summary>Turns the memory alarm on or off: while it is on, the broker reads nothing more from connections that publish.</summary>
    public Task SetMemoryAlarmAsync(bool isOn) => Server.ControlAsync($"set_vm_memory_high_watermark {(isOn ? "0.000001" : "0.6")}");
}
