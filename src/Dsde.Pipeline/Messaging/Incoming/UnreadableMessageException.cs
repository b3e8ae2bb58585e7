namespace Dsde.Pipeline.Messaging.Incoming;

/// <summary>A message is not what its queue takes. Never leaves the filters: it gives a message in the error queue its reason.</summary>
/// <param name="message">In words a person understands, without anything that was in the body but names of fields.</param>
internal sealed class UnreadableMessageException(string message) : Exception(message);
