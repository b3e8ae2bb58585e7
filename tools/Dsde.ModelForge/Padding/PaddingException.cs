namespace Dsde.ModelForge.Padding;

/// <summary>A model can't be padded as asked; the message says what stands in the way and what would do.</summary>
internal sealed class PaddingException(string message) : Exception(message);
