namespace Dsde.Engine;

/// <summary>The engine failed while a request ran; the request itself may be fine and can be tried again.</summary>
public sealed class EngineFailureException(string message, Exception? innerException = null) : Exception(message, innerException);
