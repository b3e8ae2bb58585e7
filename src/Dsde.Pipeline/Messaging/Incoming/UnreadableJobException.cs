namespace Dsde.Pipeline.Messaging.Incoming;

/// <summary>A message is no job. Never thrown: it gives a message in the error queue its reason.</summary>
internal sealed class UnreadableJobException(string message) : Exception(message);
