using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Xunit;

namespace Dsde.Testing;

/// <summary>
/// A RabbitMQ for a test assembly; each test takes a virtual host of its own. User and password are guest. Others use the server meanwhile:
/// who wants to stop it takes a <see cref="BreakableRabbitMq"/>.
/// </summary>
public class RabbitMqServer : IAsyncLifetime
{
    private readonly HttpClient _management = new();
    private PrivateServer? _server;

    /// <summary>The server itself.</summary>
    protected PrivateServer Server => _server ?? throw new InvalidOperationException("The server has not been started.");

    /// <summary>AMQP port on 127.0.0.1.</summary>
    public int Port => Server.Port;

    /// <summary>More variables for the script that runs it.</summary>
    protected virtual (string Name, string Value)[] Settings => [];

    public async ValueTask InitializeAsync()
    {
        _server = await PrivateServer.StartAsync("rabbitmq", Settings);
        _management.BaseAddress = new Uri($"http://127.0.0.1:{_server.Port + 3}/api/");
        _management.DefaultRequestHeaders.Authorization = new("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes("guest:guest")));
    }

    /// <summary>Name of a new virtual host.</summary>
    public async Task<string> CreateVirtualHostAsync()
    {
        var name = $"test-{Guid.NewGuid():N}";
        (await _management.PutAsync($"vhosts/{name}", null)).EnsureSuccessStatusCode();
        var rights = new
        {
            configure = ".*",
            write = ".*",
            read = ".*",
        };
        (await _management.PutAsJsonAsync($"permissions/{name}/guest", rights)).EnsureSuccessStatusCode();
        return name;
    }

    /// <summary>Makes a user who may do everything in a virtual host, or gives it another password or fewer rights.</summary>
    public async Task SetUserAsync(string name, string password, string virtualHost, string configure = ".*")
    {
        (await _management.PutAsJsonAsync($"users/{name}", new { password, tags = "" })).EnsureSuccessStatusCode();
        (
            await _management.PutAsJsonAsync(
                $"permissions/{virtualHost}/{name}",
                new
                {
                    configure,
                    write = ".*",
                    read = ".*",
                }
            )
        ).EnsureSuccessStatusCode();
    }

    /// <summary>Deletes a queue with what is in it.</summary>
    public async Task DeleteQueueAsync(string virtualHost, string queue) =>
        (await _management.DeleteAsync($"queues/{virtualHost}/{queue}")).EnsureSuccessStatusCode();

    /// <summary>What the broker's management says of a queue; null if there is none.</summary>
    public async Task<JsonElement?> FindQueueAsync(string virtualHost, string queue)
    {
        var response = await _management.GetAsync($"queues/{virtualHost}/{queue}");
        return response.IsSuccessStatusCode ? await response.Content.ReadFromJsonAsync<JsonElement>() : null;
    }

    /// <summary>
    /// Messages in a quorum queue, those that are delivered and not acknowledged included; 0 if there is no such queue. The queue itself is
    /// asked: what management says is some seconds old.
    /// </summary>
    public async Task<int> CountMessagesAsync(string virtualHost, string queue) =>
        await TryCountMessagesAsync(virtualHost, queue)
        ?? throw new InvalidOperationException($"{queue} has no leader that could count its messages.");

    /// <summary>Waits until a queue has no messages, delivered ones included.</summary>
    /// <exception cref="TimeoutException">It keeps some.</exception>
    public async Task WaitUntilEmptyAsync(string virtualHost, string queue)
    {
        var patience = TimeProvider.System.GetTimestamp();
        while (await TryCountMessagesAsync(virtualHost, queue) is var count and not 0)
        {
            if (TimeProvider.System.GetElapsedTime(patience) > TimeSpan.FromSeconds(60))
            {
                throw new TimeoutException($"The queue {queue} still has {count?.ToString() ?? "an unknown number of"} messages.");
            }

            await Task.Delay(100);
        }
    }

    /// <summary>Waits until there is a queue.</summary>
    public async Task WaitForQueueAsync(string virtualHost, string queue)
    {
        for (var patience = TimeProvider.System.GetTimestamp(); await FindQueueAsync(virtualHost, queue) is null; await Task.Delay(100))
        {
            if (TimeProvider.System.GetElapsedTime(patience) > TimeSpan.FromSeconds(60))
            {
                throw new TimeoutException($"Nobody has made {queue}.");
            }
        }
    }

    /// <summary>Cuts the connections to a virtual host, as the broker's operator can.</summary>
    /// <returns>How many there were.</returns>
    public async Task<int> CutConnectionsAsync(string virtualHost)
    {
        var value = await Server.EvaluateAsync(
            $"L = rabbit_connection_tracking:list(<<\"{virtualHost}\">>), "
                + "rabbit_connection_tracking_handler:close_connections(L, \"cut by a test\", 0), length(L)."
        );
        return int.TryParse(value, out var count) ? count : throw new InvalidOperationException($"Connections were not cut: {value}");
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        _management.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    /// <summary>Null while the queue elects a leader, as after a start of the broker.</summary>
    private async Task<int?> TryCountMessagesAsync(string virtualHost, string queue)
    {
        const string unknown = "unknown";
        var value = await Server.EvaluateAsync(
            $"case rabbit_amqqueue:lookup(rabbit_misc:r(<<\"{virtualHost}\">>, queue, <<\"{queue}\">>)) of "
                + "{ok, Q} -> case ra:consistent_query(amqqueue:get_pid(Q), fun rabbit_fifo:query_messages_total/1) of "
                + $"{{ok, N, _}} -> N; _ -> {unknown} end; _ -> 0 end."
        );
        return value == unknown ? null
            : int.TryParse(value, out var count) ? count
            : throw new InvalidOperationException($"{queue} was not counted: {value}");
    }
}
