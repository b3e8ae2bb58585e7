using Dsde.Pipeline;
using Dsde.Testing;
using Dsde.Worker.Embedded;

namespace Dsde.Worker.Tests.Embedded;

public sealed class RunFolderTests : IDisposable
{
    private static readonly Guid Batch = Guid.Parse("7e6f0a52-5a38-4f3e-9f0c-2f1a6d1f4a11");

    private readonly ScratchFolder _folder = new("run-folder");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_folder_that_a_run_has_is_refused_to_others_by_name_and_with_a_remedy()
    {
        using var first = RunFolder.Take(_folder.Path);

        var refused = Should.Throw<ExpectedFailureException>(() => RunFolder.Take(_folder.Path));

        refused.Message.ShouldBe(
            $"Another dsde run is at work in the folder {_folder.Path}. "
                + "Give this one another folder with --out, or wait for that one's end."
        );
        using var elsewhere = RunFolder.Take(_folder.PathOf("other"));
        elsewhere.Path.ShouldBe(_folder.PathOf("other"));
    }

    [Fact]
    public void Whoever_comes_after_a_run_that_has_ended_gets_its_folder()
    {
        for (var run = 0; run < 3; run++)
        {
            using var folder = RunFolder.Take(_folder.Path);
            folder.FindUnfinished("jobs.jsonl").ShouldBeNull();
        }
    }

    [Fact]
    public void The_batch_of_a_run_that_did_not_finish_its_results_is_found_by_the_name_of_its_file()
    {
        using (var broken = RunFolder.Take(_folder.Path))
        {
            broken.Begin(Guid.NewGuid(), "a file with a longer name before.jsonl");
            broken.Begin(Batch, "my jobs.jsonl");
        }

        using var folder = RunFolder.Take(_folder.Path);

        folder.FindUnfinished("my jobs.jsonl").ShouldBe(Batch);
        folder.FindUnfinished("jobs.jsonl").ShouldBeNull();
    }

    [Fact]
    public void A_run_that_has_finished_its_results_leaves_nothing_to_go_on_with()
    {
        using (var done = RunFolder.Take(_folder.Path))
        {
            done.Begin(Batch, "jobs.jsonl");
            done.Finish();
            done.FindUnfinished("jobs.jsonl").ShouldBeNull();
        }

        using var folder = RunFolder.Take(_folder.Path);

        folder.FindUnfinished("jobs.jsonl").ShouldBeNull();
    }

    [Theory]
    [InlineData("7e6f0a52-5a38-4f3e")]
    [InlineData("7e6f0a52-5a38-4f3e jobs.jsonl")]
    [InlineData("no note of ours")]
    public void What_was_not_noted_to_its_end_is_no_batch(string note)
    {
        File.WriteAllText(_folder.PathOf("dsde-run.lock"), note);

        using var folder = RunFolder.Take(_folder.Path);

        folder.FindUnfinished("jobs.jsonl").ShouldBeNull();
    }
}
