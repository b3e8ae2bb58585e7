using System.Buffers.Binary;
using System.Text.Json;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests;

/// <summary>
/// A model whose weights are numbers and whose logits are none, as one that was trained in a wider type has it: no job gets a text.
/// </summary>
public sealed class OverflowTests
{
    private const ushort NearlyInfinite = 0x7F00; // 1.7e38 in bf16

    [Theory]
    [InlineData("autoregressive", "greedy")]
    [InlineData("static:4", "coupled")]
    [InlineData("dsde", "rejection")]
    public async Task A_run_ends_its_jobs_as_failures_of_the_engine_that_name_the_position(string policy, string mode)
    {
        using var folder = new ScratchFolder("overflow");
        CopyWithHugeNorm(Repository.PathOf("models", "dsde-demo-target"), folder.PathOf("target"));
        var file = folder.Write(
            "jobs.jsonl",
            [
                .. Enumerable
                    .Range(0, 3)
                    .Select(job =>
                        JsonSerializer.Serialize(
                            new
                            {
                                custom_id = $"job-{job}",
                                method = "POST",
                                url = "/v1/completions",
                                body = new
                                {
                                    model = "target",
                                    prompt = $"Story: {job}",
                                    max_tokens = 8,
                                    temperature = mode == "greedy" ? 0 : 1,
                                },
                            }
                        )
                    ),
            ]
        );

        var ended = await DsdeProgram.RunAsync(
            [("Dsde__Worker__EngineRetries", "0")],
            "run",
            file,
            "--target",
            folder.PathOf("target"),
            "--policy",
            policy,
            "--sampling",
            mode == "greedy" ? "coupled" : mode,
            "--out",
            folder.PathOf("out"),
            "--no-speedup"
        );

        ended.Error.ShouldBeEmpty();
        var errors = File.ReadAllLines(folder.PathOf("out", "errors.jsonl"));
        errors.Length.ShouldBe(3, ended.Output + ended.Error);
        errors.ShouldAllBe(line => line.Contains("engine_error"));
        errors.ShouldAllBe(line => line.Contains("logits at position") && line.Contains("are no numbers"));
        File.Exists(folder.PathOf("out", "results.jsonl")).ShouldBe(false);
    }

    private static void CopyWithHugeNorm(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var path in Directory.GetFiles(from))
        {
            File.Copy(path, Path.Combine(to, Path.GetFileName(path)));
        }

        var weights = Path.Combine(to, "model.safetensors");
        var bytes = File.ReadAllBytes(weights);
        var headerLength = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        using var header = JsonDocument.Parse(bytes.AsMemory(8, headerLength));
        var norm = header.RootElement.GetProperty("model.norm.weight");
        norm.GetProperty("dtype").GetString().ShouldBe("BF16");
        var (first, end) = (norm.GetProperty("data_offsets")[0].GetInt32(), norm.GetProperty("data_offsets")[1].GetInt32());
        for (var place = 8 + headerLength + first; place < 8 + headerLength + end; place += sizeof(ushort))
        {
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(place), NearlyInfinite);
        }

        File.WriteAllBytes(weights, bytes);
    }
}
