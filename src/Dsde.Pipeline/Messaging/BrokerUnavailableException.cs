namespace Dsde.Pipeline.Messaging;

/// <summary>The broker can't be reached, or does not do its work at the moment: the same may succeed later.</summary>
internal sealed class BrokerUnavailableException(string message, Exception innerException)
    : ExpectedFailureException(message, innerException);
