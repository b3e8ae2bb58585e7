namespace Dsde.Engine.Tokenization;

/// <summary>One field of a protobuf message.</summary>
/// <param name="Number">The field's number in its schema.</param>
/// <param name="Value">A number; 0 for other kinds of fields.</param>
/// <param name="Bytes">Text, message or fixed-width number; empty for numbers of variable width.</param>
internal readonly record struct ProtobufField(int Number, ulong Value, ReadOnlyMemory<byte> Bytes);
