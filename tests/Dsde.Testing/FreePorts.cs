using System.Net;
using System.Net.Sockets;

namespace Dsde.Testing;

/// <summary>Ports for servers of the tests' own.</summary>
public static class FreePorts
{
    private static readonly Lock Giving = new();
    private static int _next = 20_000 + (Environment.ProcessId % 1000 * 10);

    /// <summary>
    /// The first of some adjacent free ports, outside the range that connections are given from. None is given twice in a process.
    /// </summary>
    public static int Find(int count)
    {
        lock (Giving)
        {
            while (true)
            {
                var first = _next;
                _next += count;
                if (Enumerable.Range(first, count).All(IsFree))
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
}
