using System.Net.Sockets;

namespace Dsde.Pipeline.Resilience;

/// <summary>A host that nobody knows: more likely a wrong name than a server that is away.</summary>
internal static class UnknownHost
{
    /// <summary>Whether that is why something failed. A name service that does not answer at the moment is another matter.</summary>
    public static bool IsCauseOf(Exception? exception) =>
        exception switch
        {
            null => false,
            SocketException { SocketErrorCode: SocketError.HostNotFound } => true,
            AggregateException many => many.InnerExceptions.Any(IsCauseOf),
            _ => IsCauseOf(exception.InnerException),
        };
}
