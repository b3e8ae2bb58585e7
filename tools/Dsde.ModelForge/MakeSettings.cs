using static TorchSharp.torch;

namespace Dsde.ModelForge;

/// <summary>What to make and where.</summary>
/// <param name="Folder">Gets the two model folders.</param>
/// <param name="TargetTime">Training time of the target.</param>
/// <param name="DraftTime">Training time of the draft.</param>
/// <param name="Seed">Of corpus and weights.</param>
/// <param name="ComputeType">Type of the products.</param>
internal sealed record MakeSettings(string Folder, TimeSpan TargetTime, TimeSpan DraftTime, int Seed, ScalarType ComputeType)
{
    /// <summary>The command that makes this.</summary>
    public string Command =>
        string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $"dotnet run -c Release --project tools/Dsde.ModelForge -- make --minutes-target {TargetTime.TotalMinutes} --minutes-draft "
                + $"{DraftTime.TotalMinutes} --seed {Seed}"
        );
}
