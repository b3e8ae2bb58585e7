using Dsde.Engine.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.ModelForge.Training;

/// <summary>Trains a model for a time, on text alone or, with a teacher, mostly towards the teacher's distributions.</summary>
internal sealed class Trainer(
    TrainableDecoder model,
    TrainableDecoder? teacher,
    TokenStream text,
    HeldOutLoss heldOut,
    TimeProvider time,
    TextWriter output
)
{
    private const double TeacherShare = 0.8;
    private const double MaxGradientNorm = 1;
    private static readonly TimeSpan ReportEvery = TimeSpan.FromSeconds(20);

    /// <summary>Trains until the time is up; <paramref name="checkpoint"/> is called from time to time.</summary>
    public TrainingSummary Run(TrainingPlan plan, Action checkpoint, TimeSpan checkpointEvery, CancellationToken cancellationToken)
    {
        using var optimizer = new AdamW(model.Parameters);
        var start = time.GetTimestamp();
        var (lastReport, lastCheckpoint, tokens, tokensAtReport, step) = (start, start, 0L, 0L, 0);
        double smoothed = double.NaN;
        while (time.GetElapsedTime(start) is var elapsed && elapsed < plan.Duration)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var share = elapsed / plan.Duration;
            var (count, length) = TrainingPlan.WindowAt(share);
            var loss = Step(optimizer, plan.LearningRateAt(share), count, length);
            smoothed = double.IsNaN(smoothed) ? loss : (0.95 * smoothed) + (0.05 * loss);
            tokens += count * length;
            step++;
            if (time.GetElapsedTime(lastReport) > ReportEvery)
            {
                var rate = (tokens - tokensAtReport) / time.GetElapsedTime(lastReport).TotalSeconds;
                output.WriteLine(
                    $"{model.Shape.Name}: step {step}, {tokens / 1e6:F2} M tokens, loss {smoothed:F3}, {rate:F0} tokens/s, "
                        + $"{(plan.Duration - elapsed).TotalMinutes:F1} min left"
                );
                (lastReport, tokensAtReport) = (time.GetTimestamp(), tokens);
            }

            if (time.GetElapsedTime(lastCheckpoint) > checkpointEvery)
            {
                output.WriteLine($"{model.Shape.Name}: held-out loss {heldOut.Measure(model).Values.Average():F3} nats per token");
                checkpoint();
                lastCheckpoint = time.GetTimestamp();
            }
        }

        return new TrainingSummary(step, tokens, time.GetElapsedTime(start), heldOut.Measure(model));
    }

    private double Step(AdamW optimizer, double learningRate, int count, int length)
    {
        using var scope = NewDisposeScope();
        var window = text.Next(count, length); // [B, T + 1]
        var inputs = window.narrow(1, 0, length);
        var targets = window.narrow(1, 1, length).reshape(-1); // [B·T]
        optimizer.ForgetGradients();
        var logits = model.Forward(inputs); // [B·T, V]
        var loss = nn.functional.cross_entropy(logits, targets);
        if (teacher is not null)
        {
            Tensor wanted;
            using (no_grad())
            {
                wanted = teacher.Forward(inputs).softmax(-1);
            }

            var distance = -(wanted * logits.log_softmax(-1)).sum(-1).mean();
            loss = distance.mul(Scalars.Of(TeacherShare)).Plus(loss.mul(Scalars.Of(1 - TeacherShare)));
        }

        loss.backward();
        nn.utils.clip_grad_norm_(model.Parameters.Select(item => item.Parameter), MaxGradientNorm);
        optimizer.Step(learningRate);
        return loss.item<float>();
    }
}
