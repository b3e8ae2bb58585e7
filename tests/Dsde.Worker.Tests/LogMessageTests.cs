using System.Reflection;
using Dsde.Engine;
using Dsde.Pipeline;
using Microsoft.Extensions.Logging;

namespace Dsde.Worker.Tests;

/// <summary>The messages of the log, as who filters a log by them needs them.</summary>
public sealed class LogMessageTests
{
    [Fact]
    public void An_event_id_stands_for_one_message()
    {
        var messages = ((Type[])[typeof(EngineOptions), typeof(ExpectedFailureException)])
            .SelectMany(type => type.Assembly.GetTypes())
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
            .Select(method => method.GetCustomAttribute<LoggerMessageAttribute>())
            .OfType<LoggerMessageAttribute>()
            .ToList();

        messages.Count.ShouldBeGreaterThan(30);
        messages
            .GroupBy(message => message.EventId)
            .Where(same => same.Count() > 1)
            .Select(same => $"{same.Key}: {string.Join(" / ", same.Select(message => message.Message))}")
            .ShouldBeEmpty();
    }
}
