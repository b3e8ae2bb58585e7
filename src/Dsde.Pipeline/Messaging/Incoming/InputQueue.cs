using MassTransit;

namespace Dsde.Pipeline.Messaging.Incoming;

/// <summary>The queue that a message came from.</summary>
internal static class InputQueue
{
    /// <summary>Its name, as the broker has it.</summary>
    public static string Of(ReceiveContext context) => Uri.UnescapeDataString(context.InputAddress.AbsolutePath.Split('/')[^1]);
}
