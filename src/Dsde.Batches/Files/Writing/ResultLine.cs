using System.Text.Json;
using Dsde.Contracts;

namespace Dsde.Batches.Files.Writing;

/// <summary>
/// A completed job as a line of <c>results.jsonl</c>: OpenAI's batch output format, with a field <c>dsde</c> in the body.
/// </summary>
internal static class ResultLine
{
    public static void Write(Utf8JsonWriter json, LineOrigin line, bool isChat, GenerationJobCompleted job)
    {
        json.WriteStartObject();
        json.WriteString("id", $"batch_req_{job.JobId:N}");
        json.WriteString("custom_id", line.CustomId);
        json.WriteStartObject("response");
        json.WriteNumber("status_code", 200);
        json.WriteString("request_id", $"req_{job.JobId:N}");
        WriteBody(json, line, isChat, job);
        json.WriteEndObject();
        json.WriteNull("error");
        json.WriteEndObject();
    }

    private static void WriteBody(Utf8JsonWriter json, LineOrigin line, bool isChat, GenerationJobCompleted job)
    {
        json.WriteStartObject("body");
        json.WriteString("id", $"{(isChat ? "chatcmpl" : "cmpl")}-{job.JobId:N}");
        json.WriteString("object", isChat ? "chat.completion" : "text_completion");
        json.WriteNumber("created", job.CompletedAt.ToUnixTimeSeconds());
        json.WriteString("model", job.Model);
        json.WriteStartArray("choices");
        var tokens = new TokenNames(job.TokenBytes);
        foreach (var choice in job.Choices ?? [First(job)])
        {
            WriteChoice(json, isChat, choice, tokens, job.PromptTokenIds);
        }

        json.WriteEndArray();
        if (isChat)
        {
            WriteIds(json, "prompt_token_ids", job.PromptTokenIds);
        }

        json.WriteStartObject("usage");
        json.WriteNumber("prompt_tokens", job.Usage.PromptTokens);
        json.WriteNumber("completion_tokens", job.Usage.CompletionTokens);
        json.WriteNumber("total_tokens", job.Usage.PromptTokens + job.Usage.CompletionTokens);
        json.WriteEndObject();
        WriteSpeculation(json, line, job);
        json.WriteEndObject();
    }

    private static GenerationChoice First(GenerationJobCompleted job) =>
        new()
        {
            Index = 0,
            PromptIndex = 0,
            Text = job.Text,
            FinishReason = job.FinishReason,
            CompletionTokens = job.Usage.CompletionTokens,
            Seed = job.Speculation?.Seed ?? 0, // not written
            TokenIds = job.TokenIds,
            TokenLogProbabilities = job.TokenLogProbabilities,
            TopLogProbabilities = job.TopLogProbabilities,
        };

    private static void WriteChoice(
        Utf8JsonWriter json,
        bool isChat,
        GenerationChoice choice,
        TokenNames tokens,
        IReadOnlyList<int>? promptTokenIds
    )
    {
        json.WriteStartObject();
        json.WriteNumber("index", choice.Index);
        if (isChat)
        {
            json.WriteStartObject("message");
            json.WriteString("role", "assistant");
            json.WriteString("content", choice.Text);
            json.WriteEndObject();
        }
        else
        {
            json.WriteString("text", choice.Text);
            WriteIds(json, "prompt_token_ids", choice.PromptTokenIds ?? promptTokenIds);
        }

        new LogProbabilities(json, tokens).Write(isChat, choice);
        json.WriteString("finish_reason", choice.FinishReason);
        WriteIds(json, "token_ids", choice.TokenIds);
        json.WriteEndObject();
    }

    private static void WriteSpeculation(Utf8JsonWriter json, LineOrigin line, GenerationJobCompleted job)
    {
        json.WriteStartObject("dsde");
        if (job is { Speculation: { } speculation, Timings: { } timings }) // otherwise they were removed from the database
        {
            WriteSpeculation(json, speculation, timings);
        }

        if (line.IgnoredFields.Count > 0)
        {
            json.WriteStartArray("ignored_fields");
            foreach (var field in line.IgnoredFields)
            {
                json.WriteStringValue(field);
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void WriteSpeculation(Utf8JsonWriter json, SpeculationSummary speculation, GenerationTimings timings)
    {
        json.WriteString("policy", speculation.Policy);
        json.WriteString("proposer", speculation.Proposer);
        json.WriteString("sampling_mode", speculation.SamplingMode);
        json.WriteNumber("seed", speculation.Seed);
        json.WriteNumber("iterations", speculation.Iterations);
        json.WriteNumber("speculating_iterations", speculation.SpeculatingIterations);
        if (speculation.Paid is { } paid)
        {
            json.WriteBoolean("paid", paid);
        }
        else
        {
            json.WriteNull("paid");
        }

        json.WriteNumber("proposed", speculation.Proposed);
        json.WriteNumber("accepted", speculation.Accepted);
        json.WriteNumber("lookup_proposed", speculation.LookupProposed);
        json.WriteNumber("lookup_accepted", speculation.LookupAccepted);
        json.WriteNumber("forced", speculation.Forced);
        WriteNumberOrNull(json, "acceptance_rate", speculation.AcceptanceRate);
        json.WriteNumber("block_efficiency", speculation.BlockEfficiency);
        WriteNumberOrNull(json, "mean_kld", speculation.MeanKld);
        json.WriteStartObject("timings");
        json.WriteNumber("waiting_ms", timings.WaitingMs);
        json.WriteNumber("prefill_ms", timings.PrefillMs);
        json.WriteNumber("draft_ms", timings.DraftMs);
        json.WriteNumber("verify_ms", timings.VerifyMs);
        json.WriteNumber("sampling_ms", timings.SamplingMs);
        json.WriteNumber("total_ms", timings.TotalMs);
        json.WriteEndObject();
    }

    private static void WriteIds(Utf8JsonWriter json, string name, IReadOnlyList<int>? ids)
    {
        if (ids is null)
        {
            return;
        }

        json.WriteStartArray(name);
        foreach (var id in ids)
        {
            json.WriteNumberValue(id);
        }

        json.WriteEndArray();
    }

    private static void WriteNumberOrNull(Utf8JsonWriter json, string name, double? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(name, number);
        }
        else
        {
            json.WriteNull(name);
        }
    }
}
