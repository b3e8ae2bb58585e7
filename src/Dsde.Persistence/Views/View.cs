namespace Dsde.Persistence.Views;

/// <summary>A view.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Sql">Its query.</param>
internal sealed record View(string Name, string Sql)
{
    /// <summary>The function that it calls, which is made before it; null if it needs none.</summary>
    public ViewFunction? Function { get; init; }
}

/// <summary>A function in SQL.</summary>
/// <param name="Name">Its name; there is one of it.</param>
/// <param name="Arguments">Names, types and defaults.</param>
/// <param name="Body">From <c>RETURNS</c> on.</param>
internal sealed record ViewFunction(string Name, string Arguments, string Body);
