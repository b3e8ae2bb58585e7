using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Dsde.Testing;

/// <summary>
/// The wire between a program and a server on this machine, to be cut at an exact place: a proxy that understands where the messages of AMQP or PostgreSQL begin
/// and end, shows each to the test before it passes it on, and cuts when the test says so. What the far side has of a cut connection is what was passed on.
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

    /// <summary>Sees every message before it is passed on, and says whether to cut. Called by several connections at once.</summary>
    public Func<WireMessage, WireCut>? Watch { get; set; }

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
            await far.ConnectAsync(IPAddress.Loopback, _serverPort);
            lock (_clients)
            {
                _clients.AddRange([near, far]);
            }

            await Task.WhenAny(PassAsync(near, far, isFromClient: true), PassAsync(far, near, isFromClient: false));
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

    private async Task PassAsync(TcpClient from, TcpClient to, bool isFromClient)
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
                    var cut = Watch?.Invoke(new WireMessage(isFromClient, buffer.AsMemory(passed, length))) ?? WireCut.No;
                    if (cut != WireCut.Before)
                    {
                        await to.GetStream().WriteAsync(buffer.AsMemory(passed, length), _end.Token);
                    }

                    if (cut != WireCut.No)
                    {
                        Cut();
                        return;
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
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or OperationCanceledException or InvalidOperationException)
        {
            // one of the two has gone
        }
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
}
