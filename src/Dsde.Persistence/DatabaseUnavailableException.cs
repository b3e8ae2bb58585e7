namespace Dsde.Persistence;

/// <summary>The database can't be reached or doesn't answer. The message names it, without its password.</summary>
public sealed class DatabaseUnavailableException(string message, Exception innerException) : Exception(message, innerException)
{
    /// <summary>Whether it answers, but what was asked of it took too long: something else holds what it needs.</summary>
    internal bool IsSlow { get; init; }

    /// <summary>Whether it answers, but one side does not take the other for who it should be: that does not pass by itself.</summary>
    public bool IsRefusal { get; init; }
}
