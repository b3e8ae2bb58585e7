using Dsde.Testing;

namespace Dsde.Deployment.Tests;

/// <summary>A folder that is no good for a server is refused in one line: which folder, for whom, and what to set.</summary>
public sealed class ServerFolderTests
{
    [Fact]
    public async Task The_services_say_which_folder_is_closed_to_whom_and_which_variable_names_another()
    {
        using var scratch = new ScratchFolder();
        var closed = await CloseAsync(scratch);
        var folder = Path.Combine(closed, "services");

        var ended = await Command.RunAsync(
            [Repository.PathOf("eng", "services.sh"), "start"],
            environment:
            [
                ("DSDE_SERVICES_FOLDER", folder),
                ("DSDE_POSTGRESQL_PORT", $"{FreePorts.Find(1)}"),
                ("DSDE_RABBITMQ_PORT", $"{FreePorts.Find(4)}"),
            ]
        );

        ShouldBeRefused(ended, "services.sh", folder, closed, "Set DSDE_SERVICES_FOLDER to ");
    }

    [Fact]
    public async Task The_servers_of_tests_say_which_folder_is_closed_to_whom_and_that_TMPDIR_names_another()
    {
        using var scratch = new ScratchFolder();
        var closed = await CloseAsync(scratch);
        var folder = Path.Combine(closed, "dsde-postgresql-test");

        var ended = await Command.RunAsync([Repository.PathOf("eng", "private-server.sh"), "postgresql", folder, $"{FreePorts.Find(1)}"]);

        ShouldBeRefused(ended, "private-server.sh", folder, closed, "set TMPDIR to ");
    }

    [Fact]
    public async Task A_folder_that_nobody_can_make_is_named_with_the_variable_that_names_another()
    {
        var ended = await Command.RunAsync(
            [Repository.PathOf("eng", "services.sh"), "start"],
            environment: [("DSDE_SERVICES_FOLDER", "/proc/services")]
        );

        ended.ExitCode.ShouldBe(2);
        ended.Error.ShouldStartWith(
            $"services.sh: the user {Environment.UserName} can't make the folder /proc/services or write to it. "
                + "Set DSDE_SERVICES_FOLDER to "
        );
        ended.Error.TrimEnd().Split('\n').Length.ShouldBe(1);
    }

    /// <summary>
    /// A folder that root's PostgreSQL can't enter; for other users, who run it themselves, one that they can't write to.
    /// </summary>
    private static async Task<string> CloseAsync(ScratchFolder scratch)
    {
        var closed = await Command.RunAsync(["chmod", Environment.IsPrivilegedProcess ? "700" : "500", scratch.Path]);
        closed.ExitCode.ShouldBe(0, closed.Error);
        return scratch.Path;
    }

    private static void ShouldBeRefused(Ended ended, string script, string folder, string closed, string remedy)
    {
        ended.ExitCode.ShouldBe(2);
        ended.Error.ShouldStartWith(
            Environment.IsPrivilegedProcess
                ? $"{script}: the user 'postgres', who runs PostgreSQL when root starts it, can't get to {folder}"
                : $"{script}: the user {Environment.UserName} can't make the folder {folder}"
        );
        ended.Error.ShouldContain(closed);
        ended.Error.ShouldContain(remedy);
        ended.Error.TrimEnd().Split('\n').Length.ShouldBe(1);
    }
}
