using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Dsde.Testing;

/// <summary>
/// The wire between a program and a server on this machine, to be cut at an exact place: a proxy that understands where the messages of
/// AMQP or PostgreSQL begin and end, shows each to the test before it passes it on, and is cut, or hangs, when the test says so.
/// </summary>
public sealed class Wire : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly List<TcpClient> _clients = [];
    private readonly int _serverPort;
    private readonly WireProtocol _protocol;
    private readonly Task _accepting;
    private volatile bool _isCut;
    private volatile Trap? _trap;
    private int _lastConnection;

    /// <summary>Opens a port that leads to the server's.</summary>
    public Wire(int serverPort, WireProtocol protocol)
    {
        _serverPort = serverPort;
        _protocol = protocol;
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = Task.Run(AcceptAsync);
    }

    /// <summary>Where the program connects to.</summary>
    public int Port { get; }

    /// <summary>
    /// Has every message looked at before it is passed on, until one is to be cut at; then it is done with. Several connections may ask at
    /// once.
    /// </summary>
    /// <returns>Ends when it has happened.</returns>
    public Task ArmAsync(Func<WireMessage, WireCut> watch)
    {
        var trap = new Trap(watch);
        _trap = trap;
        return trap.Sprung.Task;
    }

    /// <summary>Cuts all connections, and takes no new ones until <see cref="Mend"/>.</summary>
    public void Cut()
    {
        _isCut = true;
        lock (_clients)
        {
            foreach (var client in _clients)
            {
                client.Close();
            }

            _clients.Clear();
        }
    }

    /// <summary>Lets new connections through again.</summary>
    public void Mend() => _isCut = false;

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        Cut();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                var near = await _listener.AcceptTcpClientAsync(_end.Token);
                if (_isCut)
                {
                    near.Close();
                    continue;
                }

                _ = Task.Run(() => ConnectAsync(near));
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException)
            {
                // the end, or a client that went at once
            }
        }
    }

    private async Task ConnectAsync(TcpClient near)
    {
        using var far = new TcpClient();
        try
        {
            // Messages are passed on one by one: gathered, each second one would wait 40 ms for an acknowledgement.
            near.NoDelay = true;
            far.NoDelay = true;
            await far.ConnectAsync(IPAddress.Loopback, _serverPort);
            lock (_clients)
            {
                _clients.AddRange([near, far]);
            }

            var connection = new Connection(Interlocked.Increment(ref _lastConnection));
            await Task.WhenAny(PassAsync(connection, near, far, isFromClient: true), PassAsync(connection, far, near, isFromClient: false));
        }
        catch (SocketException)
        {
            // the server is not there, which its client shall notice
        }
        finally
        {
            near.Close();
            far.Close();
        }
    }

    private async Task PassAsync(Connection connection, TcpClient from, TcpClient to, bool isFromClient)
    {
        try
        {
            var (buffer, filled, isFirst) = (new byte[1 << 16], 0, true);
            while (true)
            {
                var passed = 0;
                while (MeasureMessage(buffer.AsSpan(passed, filled - passed), isFromClient && isFirst) is var length and > 0)
                {
                    isFirst = false;
                    var (trap, cut) = Examine(new WireMessage(connection.Number, isFromClient, buffer.AsMemory(passed, length)));
                    connection.IsHeld |= cut != WireCut.No;
                    if (cut == WireCut.After || !connection.IsHeld)
                    {
                        await to.GetStream().WriteAsync(buffer.AsMemory(passed, length), _end.Token);
                    }

                    if (cut is WireCut.Before or WireCut.After)
                    {
                        Cut();
                    }

                    trap?.Sprung.TrySetResult();
                    if (connection.IsHeld)
                    {
                        await Task.Delay(Timeout.InfiniteTimeSpan, _end.Token);
                    }

                    passed += length;
                }

                buffer.AsSpan(passed, filled - passed).CopyTo(buffer);
                filled -= passed;
                if (filled == buffer.Length)
                {
                    Array.Resize(ref buffer, 2 * buffer.Length);
                }

                var read = await from.GetStream().ReadAsync(buffer.AsMemory(filled), _end.Token);
                if (read == 0)
                {
                    return;
                }

                filled += read;
            }
        }
        catch (Exception exception)
            when (exception is IOException or ObjectDisposedException or OperationCanceledException or InvalidOperationException)
        {
            // one of the two has gone
        }
    }

    private (Trap? Trap, WireCut Cut) Examine(WireMessage message)
    {
        var trap = _trap;
        var cut = trap?.Watch(message) ?? WireCut.No;
        return cut != WireCut.No && Interlocked.CompareExchange(ref _trap, null, trap) == trap ? (trap, cut) : (null, WireCut.No);
    }

    /// <summary>Bytes of the first whole message; 0 if there is none yet.</summary>
    private int MeasureMessage(ReadOnlySpan<byte> bytes, bool isGreeting)
    {
        var length = _protocol switch
        {
            WireProtocol.Amqp when isGreeting => 8,
            WireProtocol.Amqp => bytes.Length < 7 ? int.MaxValue : 8 + BinaryPrimitives.ReadInt32BigEndian(bytes[3..]),
            _ when isGreeting => bytes.Length < 4 ? int.MaxValue : BinaryPrimitives.ReadInt32BigEndian(bytes),
            _ => bytes.Length < 5 ? int.MaxValue : 1 + BinaryPrimitives.ReadInt32BigEndian(bytes[1..]),
        };
        return length <= bytes.Length ? length : 0;
    }

    private sealed class Connection(int number)
    {
        public int Number => number;

        public volatile bool IsHeld;
    }

    private sealed class Trap(Func<WireMessage, WireCut> watch)
    {
        public Func<WireMessage, WireCut> Watch => watch;

        public TaskCompletionSource Sprung { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
