namespace Dsde.Engine;

/// <summary>A model folder is missing, broken or not supported. The message names the file, what is wrong with it and what to do.</summary>
public sealed class ModelLoadException(string message, Exception? innerException = null) : Exception(message, innerException);
