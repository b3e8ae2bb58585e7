namespace Dsde.Pipeline.Hosting;

/// <summary>Whether the engine gets on. A worker whose engine hangs must let go of its jobs, for others to go on with them.</summary>
internal interface IEngineLiveness
{
    /// <summary>Since when the engine has had work without getting on, if that is longer than it may take; null while it is well.</summary>
    DateTimeOffset? StuckSince { get; }
}
