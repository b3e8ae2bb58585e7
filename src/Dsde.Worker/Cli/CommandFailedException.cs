namespace Dsde.Worker.Cli;

/// <summary>
/// A command can't do what it was asked for. The message is all the user gets to see: it names the thing, the value and the remedy.
/// </summary>
internal sealed class CommandFailedException(string message, Exception? innerException = null) : Exception(message, innerException);
