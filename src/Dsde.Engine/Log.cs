using Microsoft.Extensions.Logging;

namespace Dsde.Engine;

/// <summary>Everything the engine logs. Event ids 1000 to 1999.</summary>
internal static partial class Log
{
    [LoggerMessage(1000, LogLevel.Information, "Loaded target {Target} and draft {Draft} in {DataType} on {Device} in {ElapsedMs:F0} ms")]
    public static partial void ModelsLoaded(
        this ILogger logger,
        string target,
        string draft,
        string dataType,
        string device,
        double elapsedMs
    );

    [LoggerMessage(
        1001,
        LogLevel.Error,
        "A round failed; fewer sequences run at once until the cause has failed alone, and those that ran start over from their last token"
    )]
    public static partial void RoundFailed(this ILogger logger, Exception exception);

    [LoggerMessage(
        1002,
        LogLevel.Warning,
        "The device ran out of memory; fewer sequences run at once from here on, and those that ran start over from their last token: "
            + "{Reason}"
    )]
    public static partial void OutOfMemory(this ILogger logger, string reason);

    [LoggerMessage(1008, LogLevel.Information, "Linear layers are computed by {Kernels}")]
    public static partial void KernelsChosen(this ILogger logger, string kernels);

    [LoggerMessage(
        1005,
        LogLevel.Information,
        "Defaults of jobs that leave them open, and max_new_tokens for all, from the target's generation_config.json: {Defaults}"
    )]
    public static partial void DefaultsRead(this ILogger logger, GenerationDefaults defaults);

    [LoggerMessage(1004, LogLevel.Warning, "{Oddity}")]
    public static partial void OddModel(this ILogger logger, string oddity);

    [LoggerMessage(1006, LogLevel.Information, "Profiled what passes cost, in {ElapsedMs:F0} ms: {Costs}")]
    public static partial void Profiled(this ILogger logger, string costs, double elapsedMs);

    [LoggerMessage(
        1007,
        LogLevel.Warning,
        "What passes cost could not be measured; policies propose as much as they wish, whether it pays or not"
    )]
    public static partial void ProfileFailed(this ILogger logger, Exception exception);

    [LoggerMessage(1003, LogLevel.Critical, "The engine's thread has broken down: every request fails until the engine is started again")]
    public static partial void BrokenDown(this ILogger logger, Exception exception);
}
