namespace Dsde.Contracts;

/// <summary>Why a job can never run.</summary>
/// <param name="Field">The field, called as where the job comes from.</param>
/// <param name="Message">The field, its value and what is allowed, in words a person understands.</param>
public readonly record struct JobMistake(string Field, string Message);
