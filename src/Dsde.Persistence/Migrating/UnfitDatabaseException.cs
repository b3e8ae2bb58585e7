namespace Dsde.Persistence.Migrating;

/// <summary>
/// The database is there, but what is in it is not this program's to change. The message is for people: what was found, and what to do.
/// </summary>
public sealed class UnfitDatabaseException(string message, Exception? innerException = null) : Exception(message, innerException);
