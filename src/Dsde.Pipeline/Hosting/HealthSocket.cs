using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Dsde.Pipeline.Hosting;

/// <summary>Takes the port of health and metrics, in a way that of two workers that start together only one gets it.</summary>
internal static class HealthSocket
{
    private const int MostTries = 100;
    private const int Backlog = 512;

    /// <summary>A socket that listens; null if the options say that there is to be none.</summary>
    /// <exception cref="ExpectedFailureException">The port is taken or not allowed, or the address is not the machine's.</exception>
    public static Socket? Open(WorkerOptions options)
    {
        if (options.HealthPort == WorkerOptions.NoPort)
        {
            return null;
        }

        var address = IPAddress.Parse(options.HealthAddress);
        var isFixed = options.HealthPort != WorkerOptions.AnyPort;
        var first = isFixed ? ushort.Parse(options.HealthPort, CultureInfo.InvariantCulture) : WorkerOptions.FirstHealthPort;
        for (var port = first; port < first + (isFixed ? 1 : MostTries); port++)
        {
            if (TryListen(new IPEndPoint(address, port)) is { } socket)
            {
                return socket;
            }
        }

        throw new ExpectedFailureException(
            isFixed
                ? $"Port {first} of {address} ({WorkerOptions.SectionName}:{nameof(options.HealthPort)}) is taken; ss -ltnp 'sport "
                    + $"= :{first}' "
                    + $"says by whom. Give another one, {WorkerOptions.AnyPort} for the next that is free, or {WorkerOptions.NoPort}."
                : $"None of the ports {first} to {first + MostTries - 1} of {address} is free for health and metrics. "
                    + $"Set {WorkerOptions.SectionName}:{nameof(options.HealthPort)} to one that is, or to {WorkerOptions.NoPort}."
        );
    }

    private static Socket? TryListen(IPEndPoint endPoint)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(endPoint);
            socket.Listen(Backlog); // only this takes the port for good
            return socket;
        }
        catch (SocketException exception)
        {
            socket.Dispose();
            return exception.SocketErrorCode == SocketError.AddressAlreadyInUse
                ? null
                : throw new ExpectedFailureException(
                    $"{endPoint} can't be listened at for health and metrics "
                        + $"({WorkerOptions.SectionName}:{nameof(WorkerOptions.HealthAddress)} "
                        + $"and {nameof(WorkerOptions.HealthPort)}): {exception.Message}.",
                    exception
                );
        }
    }
}
