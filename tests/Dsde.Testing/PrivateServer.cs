using System.Diagnostics;

namespace Dsde.Testing;

/// <summary>
/// A server of the tests' own, run by eng/private-server.sh, which takes it away again when its input ends: on disposal, and also when the
/// tests are killed.
/// </summary>
public sealed class PrivateServer : IAsyncDisposable
{
    private readonly Process _script;
    private readonly SemaphoreSlim _commands = new(1);

    private PrivateServer(Process script, string folder, int port)
    {
        _script = script;
        Folder = folder;
        Port = port;
    }

    /// <summary>Its data and logs.</summary>
    public string Folder { get; }

    /// <summary>Where it listens, on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>Id of the process that watches over it.</summary>
    public int WatcherId => _script.Id;

    /// <summary>Starts a server and waits until it answers.</summary>
    /// <param name="kind"><c>postgresql</c> or <c>rabbitmq</c>.</param>
    /// <param name="environment">More variables for the script.</param>
    public static async Task<PrivateServer> StartAsync(string kind, params (string Name, string Value)[] environment)
    {
        var folder = Directory.CreateTempSubdirectory($"dsde-{kind}-").FullName;
        var port = FreePorts.Find(5);
        var start = new ProcessStartInfo(Repository.PathOf("eng", "private-server.sh"), [kind, folder, $"{port}"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var script = Process.Start(start) ?? throw new InvalidOperationException("The server's script could not be started.");
        var server = new PrivateServer(script, folder, port);
        var errors = script.StandardError.ReadToEndAsync();
        if (await script.StandardOutput.ReadLineAsync() != "ready")
        {
            throw new InvalidOperationException($"The {kind} for the tests did not start:\n{await errors}");
        }

        return server;
    }

    /// <summary>Stops the server; its data stays.</summary>
    public Task StopAsync() => CommandAsync("stop", "stopped");

    /// <summary>Starts a stopped server again on the same port.</summary>
    public Task RestartAsync() => CommandAsync("start", "ready");

    /// <summary>Ends all its processes by SIGKILL, as a power cut would; its data stays.</summary>
    public Task KillAsync() => CommandAsync("kill", "killed");

    /// <summary>Has a RabbitMQ evaluate an expression of Erlang.</summary>
    /// <returns>The value, as Erlang writes it.</returns>
    public async Task<string> EvaluateAsync(string expression) => (await AskAsync($"eval {expression}")).Trim();

    /// <summary>Stops the server and removes its data.</summary>
    public async ValueTask DisposeAsync()
    {
        _script.StandardInput.Close();
        await _script.WaitForExitAsync();
        _script.Dispose();
        _commands.Dispose();
    }

    private async Task CommandAsync(string command, string answer)
    {
        if (await AskAsync(command) is var line && line != answer)
        {
            throw new InvalidOperationException($"The server's script answered '{line}' to '{command}'.");
        }
    }

    private async Task<string> AskAsync(string command)
    {
        await _commands.WaitAsync();
        try
        {
            await _script.StandardInput.WriteLineAsync(command);
            await _script.StandardInput.FlushAsync();
            return await _script.StandardOutput.ReadLineAsync()
                ?? throw new InvalidOperationException($"The server's script ended instead of answering '{command}'.");
        }
        finally
        {
            _commands.Release();
        }
    }
}
