using TorchSharp;
using TorchSharp.Modules;
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
    private const double WeightDecay = 0.05;
    private const double TeacherShare = 0.8;
    private const double MaxGradientNorm = 1;
    private static readonly TimeSpan ReportEvery = TimeSpan.FromSeconds(20);

    /// <summary>Trains until the time is up; <paramref name="checkpoint"/> is called from time to time.</summary>
    public TrainingSummary Run(TrainingPlan plan, Action checkpoint, TimeSpan checkpointEvery, CancellationToken cancellationToken)
    {
        using var optimizer = CreateOptimizer(plan);
        var start = time.GetTimestamp();
        var (lastReport, lastCheckpoint, tokens, tokensAtReport, step) = (start, start, 0L, 0L, 0);
        double smoothed = double.NaN;
        while (time.GetElapsedTime(start) is var elapsed && elapsed < plan.Duration)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var share = elapsed / plan.Duration;
            foreach (var group in optimizer.ParamGroups)
            {
                group.LearningRate = plan.LearningRateAt(share);
            }

            var (count, length) = TrainingPlan.WindowAt(share);
            var loss = Step(optimizer, count, length);
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

    private AdamW CreateOptimizer(TrainingPlan plan)
    {
        var groups = model
            .Parameters.GroupBy(item => item.Decays, item => item.Parameter)
            .Select(group => new AdamW.ParamGroup(group, plan.PeakLearningRate, 0.9, 0.95, weight_decay: group.Key ? WeightDecay : 0));
        return optim.AdamW(groups, plan.PeakLearningRate);
    }

    private double Step(AdamW optimizer, int count, int length)
    {
        using var scope = NewDisposeScope();
        var window = text.Next(count, length); // [B, T + 1]
        var inputs = window.narrow(1, 0, length);
        var targets = window.narrow(1, 1, length).reshape(-1); // [B·T]
        optimizer.zero_grad();
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
            loss = (TeacherShare * distance) + ((1 - TeacherShare) * loss);
        }

        loss.backward();
        nn.utils.clip_grad_norm_(model.Parameters.Select(item => item.Parameter), MaxGradientNorm);
        optimizer.step();
        return loss.item<float>();
    }
}
