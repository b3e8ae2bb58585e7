namespace Dsde.Contracts;

/// <summary>Values of <see cref="GenerationJobFailed.Code"/>.</summary>
public static class FailureCodes
{
    /// <summary>A field is missing, out of range or contradicts another one.</summary>
    public const string InvalidRequest = "invalid_request";

    /// <summary>The message is larger than a worker takes.</summary>
    public const string RequestTooLarge = "request_too_large";

    /// <summary>No worker has a model of that alias.</summary>
    public const string ModelNotFound = "model_not_found";

    /// <summary>The prompt leaves no room in the model's context.</summary>
    public const string ContextLengthExceeded = "context_length_exceeded";

    /// <summary>A job of this id was submitted before, with other content.</summary>
    public const string JobIdConflict = "job_id_conflict";

    /// <summary>The engine failed on this job, and again when it was tried again.</summary>
    public const string EngineError = "engine_error";

    /// <summary>Workers died whenever they ran this job, the last one while it ran nothing else.</summary>
    public const string WorkerLost = "worker_lost";

    /// <summary>The worker failed on this job in a way that it should not; its log says more.</summary>
    public const string InternalError = "internal_error";
}
