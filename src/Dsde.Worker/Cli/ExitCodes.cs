namespace Dsde.Worker.Cli;

/// <summary>What the program tells its caller.</summary>
internal static class ExitCodes
{
    /// <summary>Everything asked for was done; every job has an output.</summary>
    public const int Success = 0;

    /// <summary>Done, but some jobs have no output: errors.jsonl lists them.</summary>
    public const int JobsFailed = 1;

    /// <summary>A worker that was asked for its health is not well, or does not answer.</summary>
    public const int NotWell = 1;

    /// <summary>
    /// Not done, or not to its end: the command line, the configuration, a model, the broker or the database is not right, or one of these
    /// was away for longer than the patience. The line on the error stream says what is done, if anything is.
    /// </summary>
    public const int SetupError = 2;

    /// <summary>
    /// A worker has lost its place at the broker and can't get it back in this process, although the broker is in good order: start it
    /// again.
    /// </summary>
    public const int Detached = 3;

    /// <summary>Something failed that nobody has foreseen: a bug. The line on the error stream says what to report.</summary>
    public const int Unforeseen = 4;

    /// <summary>Interrupted by Ctrl-C or SIGTERM; what was done until then is written.</summary>
    public const int Interrupted = 130;
}
