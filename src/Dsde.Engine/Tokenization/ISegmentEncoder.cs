namespace Dsde.Engine.Tokenization;

/// <summary>Turns text between added tokens into ids. Safe for concurrent use.</summary>
internal interface ISegmentEncoder
{
    /// <summary>Appends the ids of a segment.</summary>
    /// <param name="text">Not empty.</param>
    /// <param name="isFirst">Whether nothing stands before it: some models put a space before the first word only.</param>
    /// <param name="ids">Takes the ids.</param>
    void Encode(string text, bool isFirst, List<int> ids);
}
