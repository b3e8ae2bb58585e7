namespace Dsde.Worker.Messaging.Incoming;

/// <summary>What a message says about itself that is passed on: ids only. Addresses and headers of a stranger's envelope are not followed.</summary>
internal readonly record struct MessageIds(Guid? MessageId, Guid? CorrelationId, Guid? ConversationId);
