namespace Dsde.Templates.Values;

/// <summary>Which characters of a text the template wrote: runs that alternate.</summary>
/// <param name="BeginsAsTemplate">Whether the first run is the template's.</param>
/// <param name="Changes">Where each further run begins, ascending; empty for a text of one origin.</param>
internal readonly record struct Origin(bool BeginsAsTemplate, int[] Changes)
{
    public static readonly Origin Template = new(true, []);
    public static readonly Origin Data = new(false, []);

    public bool IsUniform => Changes.Length == 0;

    /// <summary>Whether all of a range is the template's.</summary>
    public bool IsTemplate(int start, int length)
    {
        if (IsUniform)
        {
            return BeginsAsTemplate;
        }

        var run = RunAt(start);
        return IsRunTemplate(run) && (run == Changes.Length || Changes[run] >= start + length);
    }

    /// <summary>Origins of a part.</summary>
    public Origin Slice(int start, int length)
    {
        if (IsUniform)
        {
            return this;
        }

        var run = RunAt(start);
        var end = run;
        while (end < Changes.Length && Changes[end] < start + length)
        {
            end++;
        }

        return new Origin(IsRunTemplate(run), [.. Changes[run..end].Select(change => change - start)]);
    }

    private bool IsRunTemplate(int run) => run % 2 == 0 ? BeginsAsTemplate : !BeginsAsTemplate;

    /// <summary>Runs that begin at or before a place, less one.</summary>
    private int RunAt(int place)
    {
        var found = Array.BinarySearch(Changes, place);
        return found >= 0 ? found + 1 : ~found;
    }
}
