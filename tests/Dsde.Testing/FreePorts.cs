using System.Net;
using System.Net.Sockets;

namespace Dsde.Testing;

/// <summary>Ports for servers of the tests' own.</summary>
public static class FreePorts
{
    /// <summary>The first of some adjacent free ports, outside the range that connections are given from.</summary>
    public static int Find(int count)
    {
        for (var first = 20_000 + (Environment.ProcessId % 1000 * 10); ; first += count)
        {
            if (Enumerable.Range(first, count).All(IsFree))
            {
                return first;
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
