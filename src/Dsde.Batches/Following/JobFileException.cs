namespace Dsde.Batches.Following;

/// <summary>A job file can't be used as asked. The message is for its owner: the file, what is wrong with it, what to do.</summary>
internal sealed class JobFileException(string message) : Exception(message);
