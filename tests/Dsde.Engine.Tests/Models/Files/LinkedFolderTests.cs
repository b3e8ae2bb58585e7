using Dsde.Engine.Loading;
using Dsde.Engine.Tests.Generation;
using Dsde.Engine.Tests.Tokenization;
using Dsde.Testing;

namespace Dsde.Engine.Tests.Models.Files;

/// <summary>
/// Folders as Hugging Face's cache has them, where every file is a link into a store of blobs: read like any other, and whatever is wrong
/// with a link is told with the link and what it points to.
/// </summary>
public sealed class LinkedFolderTests : IDisposable
{
    private const string Pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 4976698672\n";
    private readonly ScratchFolder _folder = new("linked");

    public static TheoryData<string> FilesOfAFolder =>
        ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];

    private string Plain => _folder.PathOf("plain");

    private string Snapshot => _folder.PathOf("models--org--name", "snapshots", "0123abcd");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_folder_of_links_into_a_store_of_blobs_gives_the_tokens_of_a_plain_one(int shards)
    {
        WriteSnapshot(new TestModelShape { Shards = shards });

        var expected = await TokensOfAsync(Plain);
        (await TokensOfAsync(Snapshot)).ShouldBe(expected);

        // The folder itself may be a link, and a link may lead to a link.
        var (linked, twice) = (_folder.PathOf("current"), _folder.PathOf("again"));
        Directory.CreateSymbolicLink(linked, Path.GetRelativePath(_folder.Path, Snapshot));
        Directory.CreateDirectory(twice);
        foreach (var file in Directory.GetFiles(linked))
        {
            File.CreateSymbolicLink(Path.Combine(twice, Path.GetFileName(file)), $"../current/{Path.GetFileName(file)}");
        }

        (await TokensOfAsync(linked)).ShouldBe(expected);
        (await TokensOfAsync(twice)).ShouldBe(expected);
    }

    [Fact]
    public void An_entry_of_the_cache_is_answered_with_its_snapshot()
    {
        WriteSnapshot(new TestModelShape());

        Refusal(_folder.PathOf("models--org--name")).ShouldContain($"Give one of its snapshots, {Snapshot}.");
    }

    [Fact]
    public void A_linked_SentencePiece_model_and_its_added_tokens_are_read()
    {
        using var tokenizer = new TokenizerFolder();
        tokenizer.WithPieces("llama2").WithSettings(new { add_bos_token = false });
        TestModelFolder.WriteJson(tokenizer.Path, "added_tokens.json", new Dictionary<string, int> { ["<extra>"] = 1999 });
        Link(tokenizer.Path);

        var description = ModelDescription.Read(Snapshot);

        description.Tokenizer.ShouldNotBeNull().ShouldStartWith("SentencePiece BPE, 2000 tokens");
    }

    [Theory]
    [MemberData(nameof(FilesOfAFolder))]
    public void A_link_to_nowhere_is_named_with_what_it_points_to(string file)
    {
        WriteSnapshot(new TestModelShape());
        var blob = Path.GetFileName(new FileInfo(Path.Combine(Snapshot, file)).LinkTarget).ShouldNotBeNull();
        File.Delete(_folder.PathOf("models--org--name", "blobs", blob));

        Refusal(Snapshot).ShouldContain($"{Path.Combine(Snapshot, file)} is a symbolic link to ../../blobs/{blob}, and there is nothing");
    }

    [Fact]
    public void A_shard_that_is_a_link_to_nowhere_is_named()
    {
        WriteSnapshot(new TestModelShape { Shards = 2 });
        var shard = Path.Combine(Snapshot, "model-00002-of-00002.safetensors");
        File.Delete(shard);
        File.CreateSymbolicLink(shard, "../../blobs/gone");

        Refusal(Snapshot).ShouldContain($"{shard} is a symbolic link to ../../blobs/gone, and there is nothing");
    }

    [Theory]
    [MemberData(nameof(FilesOfAFolder))]
    public void Links_in_a_circle_are_named(string file)
    {
        WriteSnapshot(new TestModelShape());
        var path = Path.Combine(Snapshot, file);
        File.Delete(path);
        File.CreateSymbolicLink(path, "other");
        File.CreateSymbolicLink(Path.Combine(Snapshot, "other"), file);

        Refusal(Snapshot).ShouldContain($"{path} is a symbolic link that leads back to itself");
    }

    [Fact]
    public void A_folder_that_is_a_link_to_nowhere_is_named_with_what_it_points_to()
    {
        var link = _folder.PathOf("current");
        Directory.CreateSymbolicLink(link, "snapshots/gone");

        Refusal(link).ShouldContain($"{link} is a symbolic link to snapshots/gone, and there is nothing");
    }

    [Fact]
    public void A_link_in_the_middle_of_the_way_that_leads_nowhere_is_named()
    {
        TestModelFolder.Write(Plain, new TestModelShape());
        var (blobs, weights) = (_folder.PathOf("blobs"), Path.Combine(Plain, "model.safetensors"));
        Directory.CreateSymbolicLink(blobs, "unmounted");
        File.Delete(weights);
        File.CreateSymbolicLink(weights, "../blobs/abc");

        Refusal(Plain).ShouldContain($"{weights} leads to {blobs}, which is a symbolic link to unmounted, and there is nothing");
    }

    [Theory]
    [MemberData(nameof(FilesOfAFolder))]
    public void A_pointer_that_git_left_in_place_of_a_file_is_told_by_name(string file)
    {
        TestModelFolder.Write(Plain, new TestModelShape());
        File.WriteAllText(Path.Combine(Plain, file), Pointer);

        Refusal(Plain).ShouldContain($"{file} is not the file itself but a Git LFS pointer to it");
    }

    [Fact]
    public void A_linked_file_that_is_cut_short_is_refused()
    {
        WriteSnapshot(new TestModelShape());
        using (var weights = File.OpenWrite(Path.Combine(Snapshot, "model.safetensors")))
        {
            weights.SetLength(weights.Length - 1000);
        }

        Refusal(Snapshot).ShouldContain("model.safetensors is broken");
    }

    private static async Task<IReadOnlyList<int>> TokensOfAsync(string folder)
    {
        await using var engine = EngineUnderTest.Load(folder, null, "autoregressive");
        return (await engine.GenerateAllAsync([EngineUnderTest.Greedy([1, 2, 3], 12)]))[0].TokenIds;
    }

    private static string Refusal(string folder) =>
        Should.Throw<ModelLoadException>(() => EngineUnderTest.Load(folder, null, "autoregressive")).Message;

    private void WriteSnapshot(TestModelShape shape)
    {
        TestModelFolder.Write(Plain, shape);
        Link(Plain);
    }

    /// <summary>Makes a snapshot of relative links into a folder of blobs.</summary>
    private void Link(string source)
    {
        var blobs = _folder.PathOf("models--org--name", "blobs");
        Directory.CreateDirectory(blobs);
        Directory.CreateDirectory(Snapshot);
        foreach (var (number, file) in Directory.GetFiles(source).Index())
        {
            File.Copy(file, Path.Combine(blobs, $"sha{number}"));
            File.CreateSymbolicLink(Path.Combine(Snapshot, Path.GetFileName(file)), $"../../blobs/sha{number}");
        }
    }
}
