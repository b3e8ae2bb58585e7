namespace Dsde.Pipeline;

/// <summary>
/// A command can't do what it was asked for. The message is all the user gets to see: it names the thing, the value and the remedy.
/// </summary>
internal class ExpectedFailureException(string message, Exception? innerException = null) : Exception(message, innerException);
