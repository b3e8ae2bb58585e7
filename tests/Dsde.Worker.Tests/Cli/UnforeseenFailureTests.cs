using Dsde.Worker.Cli;

namespace Dsde.Worker.Tests.Cli;

/// <summary>What nobody has foreseen ends a verb with a line and an exit code, not with a stack.</summary>
public sealed class UnforeseenFailureTests
{
    [Fact]
    public async Task A_verb_that_fails_in_a_way_that_nobody_has_foreseen_ends_with_a_line_and_an_exit_code()
    {
        await using var error = new StringWriter();

        var exitCode = await DsdeCommandLine.RunAsync(
            ["model", "inspect", Dsde.Testing.Repository.PathOf("models", "dsde-demo-target")],
            new System.CommandLine.InvocationConfiguration { Output = new UnwritableWriter(), Error = error }
        );

        exitCode.ShouldBe(ExitCodes.Unforeseen);
        var line = error.ToString().Trim().Split('\n').ShouldHaveSingleItem();
        line.ShouldStartWith("dsde: This should not have happened, please report it: InvalidTimeZoneException");
        line.ShouldContain("Nobody foresaw this.");
        line.ShouldNotContain("   at ");
    }

    /// <summary>Stands for whatever may go wrong: nothing in the program knows this exception.</summary>
    private sealed class UnwritableWriter : StringWriter
    {
        public override void Write(char value) => throw new InvalidTimeZoneException("Nobody foresaw\nthis.");

        public override void Write(string? value) => throw new InvalidTimeZoneException("Nobody foresaw\nthis.");

        public override void Write(char[] buffer, int index, int count) => throw new InvalidTimeZoneException("Nobody foresaw\nthis.");

        public override void WriteLine(string? value) => throw new InvalidTimeZoneException("Nobody foresaw\nthis.");

        public override Task WriteLineAsync(string? value) => throw new InvalidTimeZoneException("Nobody foresaw\nthis.");
    }
}
