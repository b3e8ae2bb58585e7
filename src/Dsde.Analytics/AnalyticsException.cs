namespace Dsde.Analytics;

/// <summary>
/// The stored telemetry can't answer the question. The message is all the user gets to see: it names the thing, the value and the remedy.
/// </summary>
public sealed class AnalyticsException(string message, Exception? innerException = null) : Exception(message, innerException);
