using System.Text.RegularExpressions;
using Dsde.Testing;

namespace Dsde.Engine.Tests;

/// <summary>
/// The engine's rooms (folders of <c>src/Dsde.Engine</c>) know each other in one direction only, as docs/architecture.md draws it.
/// </summary>
public sealed partial class RoomTests
{
    private static readonly string Root = Repository.PathOf("src", "Dsde.Engine");

    /// <summary>Every room, and those it may name. Who is above names who is below.</summary>
    private static readonly Dictionary<string, string[]> Known = new()
    {
        ["Benchmarking"] = ["Cpu", "Kv", "Loading", "Models", "Sampling", "Torch"],
        ["Batching"] = ["Iteration", "Kv", "Loading", "Prefill", "Sampling", "Sequences"],
        ["Iteration"] = ["Cpu", "Kv", "Models", "Sampling", "Sequences", "Torch"],
        ["Prefill"] = ["Kv", "Models", "Sampling", "Sequences"],
        ["Sequences"] = ["Sampling", "Telemetry", "Tokenization"],
        ["Loading"] = ["Cpu", "Kv", "Models", "Tokenization"],
        ["Tokenization"] = ["Models"],
        ["Telemetry"] = ["Sampling"],
        ["Sampling"] = ["Cpu", "Torch"],
        ["Models"] = ["Cpu", "Kv", "Torch"],
        ["Kv"] = ["Cpu", "Models"], // a model and its cache are one thing in two rooms
        ["Cpu"] = [],
        ["Torch"] = [],
    };

    [Fact]
    public void Every_folder_is_a_room_that_is_drawn() =>
        Directory
            .GetDirectories(Root)
            .Select(Path.GetFileName)
            .Where(name => name is not "bin" and not "obj")
            .ShouldBe(Known.Keys, ignoreOrder: true);

    [Fact]
    public void A_room_names_only_rooms_below_it()
    {
        foreach (var (room, allowed) in Known)
        {
            var named = FilesOf(room).SelectMany(text => RoomName().Matches(text)).Select(match => match.Groups[1].Value).Distinct();

            named.Where(other => other != room && Known.ContainsKey(other)).ShouldBe(allowed, ignoreOrder: true, $"What {room} names.");
        }
    }

    [Theory]
    [InlineData("Telemetry")]
    [InlineData("Sequences")]
    [InlineData("Tokenization")]
    public void What_chooses_and_what_writes_down_knows_no_tensors(string room) =>
        FilesOf(room).ShouldAllBe(text => !text.Contains("TorchSharp", StringComparison.Ordinal));

    [Fact]
    public void The_memory_threads_and_kernels_of_the_processor_know_only_those_before_them()
    {
        FilesOf("Cpu/Memory").ShouldAllBe(text => !text.Contains("using Dsde.", StringComparison.Ordinal));
        FilesOf("Cpu/Threads").ShouldAllBe(text => !text.Contains("using Dsde.", StringComparison.Ordinal));
        FilesOf("Models/Files").ShouldAllBe(text => !text.Contains("using Dsde.", StringComparison.Ordinal));
    }

    private static List<string> FilesOf(string room)
    {
        List<string> texts =
        [
            .. Directory.GetFiles(Path.Combine(Root, room), "*.cs", SearchOption.AllDirectories).Select(File.ReadAllText),
        ];
        texts.ShouldNotBeEmpty();
        return texts;
    }

    [GeneratedRegex(@"^using (?:static )?Dsde\.Engine\.(\w+)", RegexOptions.Multiline)]
    private static partial Regex RoomName();
}
