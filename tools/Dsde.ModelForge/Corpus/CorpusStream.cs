using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Dsde.ModelForge.Corpus;

/// <summary>Which prompts a stream gives: the two never share one.</summary>
internal enum Split
{
    /// <summary>For training.</summary>
    Train,

    /// <summary>Kept back.</summary>
    HeldOut,
}

/// <summary>
/// Documents by number, without end, the same for the same seed. Prompts fall into a split by their hash, so that a held-out prompt can't
/// come up in training however long that runs.
/// </summary>
internal sealed class CorpusStream(int seed, Split split)
{
    private const int HeldOutShare = 25;

    /// <summary>Names of all workloads.</summary>
    public static IReadOnlyList<string> Workloads { get; } = [Stories.Name, Arithmetic.Name, Records.Name, Code.Name, Questions.Name];

    /// <summary>A document of the next workload in turn.</summary>
    public Document At(int number) => At(number, Workloads[number % Workloads.Count]);

    /// <summary>A document of one workload.</summary>
    public Document At(int number, string workload)
    {
        for (var attempt = 0; ; attempt++)
        {
            var document = Make(workload, new Dice(HashCode(number, attempt)));
            if (SplitOf(document) == split)
            {
                return document;
            }
        }
    }

    /// <summary>The split a document's prompt belongs to.</summary>
    public static Split SplitOf(Document document) =>
        Hash(Encoding.UTF8.GetBytes(document.PromptKey)) % HeldOutShare == 0 ? Split.HeldOut : Split.Train;

    private static Document Make(string workload, Dice dice) =>
        workload switch
        {
            Stories.Name => Stories.Make(dice),
            Arithmetic.Name => Arithmetic.Make(dice),
            Records.Name => Records.Make(dice),
            Code.Name => Code.Make(dice),
            Questions.Name => Questions.Make(dice),
            _ => throw new ArgumentException(
                $"Workload '{workload}' is not known. Use one of: {string.Join(", ", Workloads)}.",
                nameof(workload)
            ),
        };

    private int HashCode(int number, int attempt)
    {
        Span<int> key = [seed, (int)split, number, attempt];
        return (int)(Hash(MemoryMarshal.AsBytes(key)) & int.MaxValue);
    }

    private static ulong Hash(ReadOnlySpan<byte> bytes) => BitConverter.ToUInt64(SHA256.HashData(bytes));
}
