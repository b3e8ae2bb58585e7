namespace Dsde.Batches.Following;

/// <summary>What is in a job file.</summary>
/// <param name="Jobs">Lines with a job.</param>
/// <param name="Errors">Bad lines.</param>
/// <param name="OnlyModel">The model that all lines name, bad ones as well; null if they name several, or none.</param>
internal readonly record struct JobFileCount(int Jobs, int Errors, string? OnlyModel);
