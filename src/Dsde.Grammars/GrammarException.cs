namespace Dsde.Grammars;

/// <summary>A definition can't be made a grammar.</summary>
/// <param name="place">Where the mistake is: a JSON pointer such as <c>#/properties/age/not</c>, or <c>character 3</c> of an
/// expression.</param>
/// <param name="mistake">What is wrong there and what would do, as a sentence that goes on behind the place.</param>
public sealed class GrammarException(string place, string mistake) : Exception($"{place} {mistake}")
{
    /// <summary>Where the mistake is.</summary>
    public string Place => place;
}
