namespace Dsde.Benchmarks.Pipeline;

/// <summary>One round with the engine that answers at once.</summary>
/// <param name="JobsPerSecond">Through the whole pipeline: taken, claimed, stored, announced, acknowledged.</param>
/// <param name="ProcessorMsPerJob">Of the worker's process; broker and database not included.</param>
/// <param name="ConsumedPerSecond">Floor: the same bodies taken and acknowledged by a plain client.</param>
/// <param name="CopiedPerSecond">Floor: the same rows by plain COPY.</param>
internal sealed record PipelineRound(double JobsPerSecond, double ProcessorMsPerJob, double ConsumedPerSecond, double CopiedPerSecond)
{
    /// <summary>Jobs per second of both floors, one after the other.</summary>
    public double FloorPerSecond => 1 / ((1 / ConsumedPerSecond) + (1 / CopiedPerSecond));

    /// <summary>How much of the floor the pipeline reaches.</summary>
    public double ShareOfFloor => JobsPerSecond / FloorPerSecond;
}

/// <summary>One round with a real engine.</summary>
/// <param name="DirectTokensPerSecond">Emitted when the engine is called directly.</param>
/// <param name="PipelineTokensPerSecond">Emitted through the pipeline.</param>
internal sealed record EngineRound(double DirectTokensPerSecond, double PipelineTokensPerSecond)
{
    /// <summary>What the pipeline costs, as a share of the direct throughput; negative where it was faster.</summary>
    public double Cost => 1 - (PipelineTokensPerSecond / DirectTokensPerSecond);
}
