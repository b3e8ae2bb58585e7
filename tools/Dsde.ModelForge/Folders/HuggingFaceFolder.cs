using Dsde.ModelForge.Bpe;
using Dsde.ModelForge.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.ModelForge.Folders;

/// <summary>Writes models as Hugging Face folders with safetensors weights.</summary>
internal static class HuggingFaceFolder
{
    /// <summary>Name of the file with the weights.</summary>
    public const string WeightsName = "model.safetensors";

    /// <summary>Name of the file with the shape.</summary>
    public const string ConfigName = "config.json";

    /// <summary>Writes a trained model in bf16.</summary>
    public static void Write(string path, TrainableDecoder model, BpeVocabulary vocabulary) =>
        Write(
            path,
            partial =>
            {
                JsonFiles.Write(Path.Combine(partial, ConfigName), model.Shape.ToConfig());
                JsonFiles.Write(Path.Combine(partial, "generation_config.json"), ModelShape.ToGenerationConfig());
                TokenizerFiles.Write(partial, vocabulary, ModelShape.ContextLength);
                SafetensorsWriter.Write(
                    Path.Combine(partial, WeightsName),
                    model.Weights.Select(weight => new StoredWeight(
                        weight.Name,
                        StoredType.BF16,
                        weight.Weight.shape,
                        Rows(weight.Weight)
                    )),
                    CancellationToken.None
                );
            }
        );

    /// <summary>Writes beside the place and moves the folder there when it is whole, so that no reader meets half a model.</summary>
    /// <exception cref="IOException">There is a folder of that name that is no model, which is not replaced.</exception>
    public static void Write(string path, Action<string> write)
    {
        if (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any() && !File.Exists(Path.Combine(path, ConfigName)))
        {
            throw new IOException($"Folder {path} holds something that is no model, and is not replaced. Give another one, or empty it.");
        }

        var partial = Path.TrimEndingDirectorySeparator(path) + ".partial";
        Directory.CreateDirectory(partial);
        try
        {
            write(partial);
        }
        catch
        {
            Directory.Delete(partial, recursive: true);
            throw;
        }

        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }

        Directory.Move(partial, path);
    }

    /// <summary>
    /// Takes tokenizer, chat template and generation settings over from another model: all files but shape, weights and what was said about
    /// its making.
    /// </summary>
    public static void CopyOthers(string source, string destination)
    {
        foreach (var file in Directory.EnumerateFiles(source))
        {
            var name = Path.GetFileName(file);
            if (
                name is not (ConfigName or TrainingRecord.FileName or "README.md")
                && !name.Contains(".safetensors", StringComparison.Ordinal)
            )
            {
                File.Copy(file, Path.Combine(destination, name), overwrite: true);
            }
        }
    }

    private static IEnumerable<float[]> Rows(Tensor weight)
    {
        using var mode = no_grad();
        using var wide = weight.detach().to(ScalarType.Float32).contiguous();
        foreach (var row in wide.data<float>().ToArray().Chunk((int)weight.shape[^1]))
        {
            yield return row;
        }
    }
}
