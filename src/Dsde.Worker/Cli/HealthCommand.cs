using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Dsde.Pipeline;
using Dsde.Pipeline.Hosting;

namespace Dsde.Worker.Cli;

/// <summary><c>dsde health</c>: asks the worker of this machine or container how it is, where there is no curl to do it.</summary>
internal sealed class HealthCommand : DsdeCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Option<bool> _live = new("--live")
    {
        Description = "Ask whether it gets on (/health/live), instead of whether it takes jobs (/health/ready).",
    };

    private readonly Option<int?> _port = new("--port")
    {
        Description = "Port of its health (default: Dsde:Worker:HealthPort, if that is a number).",
        HelpName = "N",
    };

    public HealthCommand()
        : base(
            "health",
            "Ask the worker of this machine how it is, by the settings that it was started with; exit code 1 if it is not well.",
            "dsde health",
            "dsde health --live --port 8081"
        )
    {
        Add(_live);
        Add(_port);
        _port.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var given }] && int.TryParse(given, out var port) && port is < 1 or > IPEndPoint.MaxPort)
            {
                result.AddError($"{_port.Name} is {given}; give a port from 1 to {IPEndPoint.MaxPort}.");
            }
        });
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var options = new ProgramSettings().Worker();
        var url = new UriBuilder(
            Uri.UriSchemeHttp,
            AddressOf(options),
            arguments.GetValue(_port) ?? PortOf(options),
            arguments.GetValue(_live) ? "/health/live" : "/health/ready"
        ).Uri;
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Patience };
        try
        {
            using var response = await client.GetAsync(url, cancellationToken);
            await arguments.InvocationConfiguration.Output.WriteAsync(await response.Content.ReadAsStringAsync(cancellationToken));
            return response.IsSuccessStatusCode ? ExitCodes.Success : ExitCodes.NotWell;
        }
        catch (Exception exception)
            when (exception is HttpRequestException || (exception is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            var reason = exception.GetBaseException() is SocketException refused ? refused.Message : exception.Message;
            await arguments.InvocationConfiguration.Error.WriteLineAsync($"dsde: No worker answers at {url}: {reason}");
            return ExitCodes.NotWell;
        }
    }

    private static string AddressOf(WorkerOptions options) =>
        IPAddress.Parse(options.HealthAddress) is var address && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))
            ? IPAddress.Loopback.ToString()
            : options.HealthAddress;

    private static int PortOf(WorkerOptions options) =>
        int.TryParse(options.HealthPort, CultureInfo.InvariantCulture, out var port)
            ? port
            : throw new ExpectedFailureException(
                $"{WorkerOptions.SectionName}:{nameof(options.HealthPort)} is {options.HealthPort}, so that only the worker's log has its "
                    + $"port. Give it by --port, or set {nameof(options.HealthPort)} to a number."
            );
}
