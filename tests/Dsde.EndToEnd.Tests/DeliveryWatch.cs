using Dsde.Testing;

namespace Dsde.EndToEnd.Tests;

/// <summary>
/// Counts on the wire what the broker has delivered to a program and has not been answered: exact at every message, where the broker's
/// management looks every few seconds.
/// </summary>
internal sealed class DeliveryWatch
{
    private readonly Lock _counting = new();
    private readonly Dictionary<(int Connection, int Channel), string> _queues = [];
    private readonly Dictionary<(int Connection, int Channel), SortedSet<ulong>> _open = [];
    private readonly Dictionary<string, int> _most = [];

    /// <summary>For <see cref="Wire.ArmAsync"/>; never cuts.</summary>
    public WireCut See(WireMessage message)
    {
        lock (_counting)
        {
            var key = (message.Connection, message.Channel);
            if (message.ConsumedQueue is { } queue)
            {
                _queues[key] = queue;
                _open[key] = [];
            }
            else if (message.DeliveryTag is { } delivered && _open.TryGetValue(key, out var open))
            {
                open.Add(delivered);
                _most[_queues[key]] = Math.Max(open.Count, _most.GetValueOrDefault(_queues[key]));
            }
            else if (message.Settled is { } settled && _open.TryGetValue(key, out open))
            {
                open.RemoveWhere(tag => settled.IsMultiple ? tag <= settled.Tag : tag == settled.Tag);
            }
        }

        return WireCut.No;
    }

    /// <summary>The most deliveries of a queue that one consumer ever had at a time.</summary>
    public int MostUnacknowledged(string queue)
    {
        lock (_counting)
        {
            return _most.GetValueOrDefault(queue);
        }
    }
}
