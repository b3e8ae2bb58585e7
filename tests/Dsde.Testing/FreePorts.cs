using System.Net;
using System.Net.Sockets;

namespace Dsde.Testing;

/// <summary>Ports for servers of the tests' own, outside the range that connections are given from.</summary>
public static class FreePorts
{
    private const int First = 20_000;
    private const int Count = 12_000;

    private static readonly Lock Giving = new();
    private static readonly List<Socket> Claims = [];
    private static int _next = Environment.ProcessId * 100 % Count;

    /// <summary>
    /// The first of some adjacent free ports. None is given twice, to whatever test process of this machine, as long as the process lives.
    /// </summary>
    public static int Find(int count)
    {
        lock (Giving)
        {
            while (true)
            {
                var first = First + _next;
                _next = (_next + count) % (Count - count);
                if (Enumerable.Range(first, count).All(port => IsFree(port) && TryClaim(port)))
                {
                    return first;
                }
            }
        }
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>
    /// A server takes seconds until it listens. Meanwhile a name in Linux's abstract namespace, which goes with the process, says that its
    /// port is taken.
    /// </summary>
    private static bool TryClaim(int port)
    {
        var claim = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            claim.Bind(new UnixDomainSocketEndPoint($"\0dsde-test-port-{port}"));
            Claims.Add(claim);
            return true;
        }
        catch (SocketException)
        {
            claim.Dispose();
            return false;
        }
    }
}
