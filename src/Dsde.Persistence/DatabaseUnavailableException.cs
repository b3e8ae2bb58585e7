namespace Dsde.Persistence;

/// <summary>The database can't be reached or doesn't answer. The message names it, without its password.</summary>
public sealed class DatabaseUnavailableException(string message, Exception innerException) : Exception(message, innerException);
