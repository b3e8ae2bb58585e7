using System.Diagnostics;
using System.Net.Sockets;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests;

/// <summary>The servers under test are gone afterwards, even when the tests are killed.</summary>
public sealed class PrivateServerTests
{
    [Theory]
    [InlineData("postgresql")]
    [InlineData("rabbitmq")]
    public async Task A_server_goes_when_the_process_that_wanted_it_is_killed(string kind)
    {
        using var scratch = new ScratchFolder("killed");
        var folder = scratch.Path;
        var port = FreePorts.Find(5);
        var script = Repository.PathOf("eng", "private-server.sh");
        // The outer shell stands for the test run: it alone holds the other end of the server's input.
        using var owner =
            Process.Start(
                new ProcessStartInfo("bash", ["-c", $"exec 3> >('{script}' {kind} '{folder}' {port}); read -r _"])
                {
                    RedirectStandardInput = true,
                    RedirectStandardOutput = true,
                }
            ) ?? throw new InvalidOperationException("bash could not be started.");
        (await owner.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken)).ShouldBe("ready");
        (await AnswersAsync(port)).ShouldBeTrue();

        owner.Kill(); // SIGKILL, to this process only

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        while (await AnswersAsync(port) || Directory.Exists(folder))
        {
            await Task.Delay(100, patience.Token);
        }
    }

    private static async Task<bool> AnswersAsync(int port)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync("127.0.0.1", port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
