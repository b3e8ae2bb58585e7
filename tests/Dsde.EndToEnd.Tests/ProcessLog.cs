using System.Diagnostics;
using System.Text;

namespace Dsde.EndToEnd.Tests;

/// <summary>What a process writes, while it writes it; kept in a file as well if DSDE_TEST_LOGS names a folder.</summary>
internal sealed class ProcessLog
{
    private readonly StringBuilder _text = new();
    private readonly Task _reading;

    public ProcessLog(Process process)
    {
        var file = Environment.GetEnvironmentVariable("DSDE_TEST_LOGS") is { Length: > 0 } folder
            ? Path.Combine(folder, $"worker-{process.StartTime:HHmmss}-{process.Id}.log")
            : null;
        _reading = Task.WhenAll(ReadAsync(process.StandardOutput, file), ReadAsync(process.StandardError, file));
    }

    public string Text
    {
        get
        {
            lock (_text)
            {
                return _text.ToString();
            }
        }
    }

    /// <summary>All of it, once the process has ended.</summary>
    public async Task<string> ReadToEndAsync()
    {
        await _reading;
        return Text;
    }

    private async Task ReadAsync(StreamReader reader, string? file)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (_text)
            {
                _text.AppendLine(line);
                if (file is not null)
                {
                    File.AppendAllText(file, line + "\n");
                }
            }
        }
    }
}
