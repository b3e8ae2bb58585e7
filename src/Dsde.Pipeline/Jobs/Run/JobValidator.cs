using System.Text;
using Dsde.Contracts;
using Dsde.Engine;
using Dsde.Engine.Sampling;
using Dsde.Grammars;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Telemetry;
using Dsde.Speculation;

namespace Dsde.Pipeline.Jobs.Run;

/// <summary>
/// Makes engine requests of a job, or says in words a person understands why the job can never run: by the rules that hold for all jobs,
/// and by those of this worker's model.
/// </summary>
internal sealed class JobValidator(IGenerationEngine engine, WorkerOptions options)
{
    private const int DefaultPlainMaxTokens = 16; // as OpenAI's completions have it
    private const int LongText = 1 << 17; // characters
    private const int Shrinking = 4; // more than any normal form of Unicode shortens a text

    private readonly Lock _longText = new();
    private readonly GrammarShelf _grammars = new();

    /// <summary>A request for each output of the job, in order: one prompt's after the other's.</summary>
    /// <exception cref="JobRejectedException">The job can never run.</exception>
    public IReadOnlyList<GenerationRequest> Validate(SubmitGenerationJob job)
    {
        if (JobRules.FindMistake(job, JobFieldNames.InMessages) is { } mistake)
        {
            throw new JobRejectedException(FailureCodes.InvalidRequest, mistake.Message);
        }

        CheckModel(job.Model);
        CheckTokens(job);
        var (policy, proposer) = (ReadPolicy(job.Policy), ReadProposer(job.Proposer));
        if (!engine.Description.CanPropose(policy, proposer))
        {
            throw new JobRejectedException(FailureCodes.InvalidRequest, WithoutDraft(policy, proposer));
        }

        var (sampling, grammar, choices) = (
            SamplingConversion.ToParameters(job, engine.Description.Defaults),
            ReadGrammar(job),
            job.ChoiceCount ?? 1
        );
        return
        [
            .. Encode(job)
                .SelectMany(prompt => Enumerable.Repeat(prompt, choices))
                .Select(
                    (prompt, output) =>
                        new GenerationRequest
                        {
                            PromptTokenIds = prompt,
                            MaxTokens = MaxTokensOf(job, prompt.Count),
                            Sampling = sampling with { Seed = ChoiceSeeds.Of(sampling.Seed, output) },
                            StopStrings = job.Stop ?? [],
                            StopTokenIds = job.StopTokenIds ?? [],
                            IgnoreEos = job.IgnoreEos == true,
                            Grammar = grammar,
                            TopLogProbabilityCount = job.TopLogProbabilityCount ?? 0,
                            Policy = policy,
                            Proposer = proposer,
                            Workload = job.Metadata?.GetValueOrDefault("workload"),
                            Priority = job.Priority ?? 0,
                            ExpiresAt = job.ExpiresAt,
                        }
                ),
        ];
    }

    private string WithoutDraft(PolicyConfiguration? policy, Proposer? proposer)
    {
        var chosen = (
            Policy: $"{JobFieldNames.InMessages(nameof(SubmitGenerationJob.Policy))} is "
                + $"{policy?.ToString() ?? engine.Description.DefaultPolicy}",
            Proposer: $"{JobFieldNames.InMessages(nameof(SubmitGenerationJob.Proposer))} is "
                + $"{(proposer ?? engine.Description.DefaultProposer).ToText()}"
        );
        return (proposer is null ? $"{chosen.Policy}, {chosen.Proposer}" : $"{chosen.Proposer}, {chosen.Policy}")
            + ", and there is no draft model here; use proposer lookup, or policy autoregressive.";
    }

    private int MaxTokensOf(SubmitGenerationJob job, int promptLength) =>
        Math.Min(
            job.MaxTokens ?? (job.Messages is null ? DefaultPlainMaxTokens : engine.Description.ContextLength - promptLength),
            engine.Description.Defaults.MaxTokens ?? int.MaxValue
        );

    private void CheckModel(string model)
    {
        if (!options.Models.Contains(model, StringComparer.Ordinal))
        {
            throw new JobRejectedException(
                FailureCodes.ModelNotFound,
                $"{JobFieldNames.InMessages(nameof(SubmitGenerationJob.Model))} is '{model}', which is not served here; give "
                    + $"{string.Join(", ", options.Models)}."
            );
        }
    }

    private void CheckTokens(SubmitGenerationJob job)
    {
        var size = engine.Description.VocabularySize;
        CheckTokens(JobFieldNames.InMessages(nameof(job.StopTokenIds)), job.StopTokenIds ?? [], size);
        CheckTokens(JobFieldNames.InMessages(nameof(job.LogitBias)), SamplingConversion.ToBiases(job.LogitBias).Keys, size);
    }

    private static void CheckTokens(string field, IEnumerable<int> ids, int vocabularySize) =>
        Require(
            ids.All(id => id >= 0 && id < vocabularySize),
            $"{field} has the token {ids.FirstOrDefault(id => id < 0 || id >= vocabularySize)}; give token ids from 0 to "
                + $"{vocabularySize - 1}."
        );

    private static PolicyConfiguration? ReadPolicy(string? text)
    {
        if (text is null)
        {
            return null;
        }

        try
        {
            return PolicyConfiguration.Parse(text);
        }
        catch (FormatException)
        {
            throw new JobRejectedException(
                FailureCodes.InvalidRequest,
                $"{JobFieldNames.InMessages(nameof(SubmitGenerationJob.Policy))} is '{text}'; give "
                    + $"{PolicyConfiguration.Allowed}, or leave it out."
            );
        }
    }

    private static Proposer? ReadProposer(string? text)
    {
        try
        {
            return text is null ? null : ProposerText.Parse(text);
        }
        catch (FormatException)
        {
            throw new JobRejectedException(
                FailureCodes.InvalidRequest,
                $"{JobFieldNames.InMessages(nameof(SubmitGenerationJob.Proposer))} is '{text}'; give {ProposerText.Allowed}, or leave it "
                    + "out."
            );
        }
    }

    private Grammar? ReadGrammar(SubmitGenerationJob job)
    {
        if (OutputFormat.Find(job) is not var (format, property))
        {
            return null;
        }

        try
        {
            return _grammars.Find(format);
        }
        catch (GrammarException exception)
        {
            throw new JobRejectedException(
                FailureCodes.InvalidRequest,
                $"{JobFieldNames.InMessages(property)} can't be used: {exception.Message}"
            );
        }
    }

    private IEnumerable<IReadOnlyList<int>> Encode(SubmitGenerationJob job)
    {
        var field = JobFieldNames.InMessages(job.Messages is null ? nameof(job.Prompt) : nameof(job.Messages));
        return job.Prompt is { } prompts
            ? prompts.Select((prompt, index) => Encode(JobRules.NameOfPrompt(field, prompts, index), prompt))
            : [EncodeChat(field, job)];
    }

    private IReadOnlyList<int> Encode(string field, JobPrompt prompt)
    {
        if (prompt.TokenIds is { } tokens)
        {
            CheckTokens(field, tokens, engine.Description.VocabularySize);
            return Fitting(field, tokens);
        }

        var text = prompt.Text ?? "";
        RefuseUnread(field, text.Length, Encoding.UTF8.GetByteCount(text));
        var ids = Encode(text.Length, () => engine.PromptEncoder.Encode(text));
        Require(ids.Count > 0, $"{field} is empty; give at least one character.");
        return Fitting(field, WithRows(field, ids));
    }

    private IReadOnlyList<int> EncodeChat(string field, SubmitGenerationJob job)
    {
        var (length, bytes) = ChatConversion.Measure(job);
        RefuseUnread(field, length, bytes);
        ChatTurn[] turns = [.. (job.Messages ?? []).Select(ChatConversion.ToTurn)];
        return Fitting(field, WithRows(field, Encode(length, () => engine.PromptEncoder.EncodeChat(turns, ChatConversion.ToInputs(job)))));
    }

    private IReadOnlyList<int> Fitting(string field, IReadOnlyList<int> ids)
    {
        var context = engine.Description.ContextLength;
        return ids.Count < context
            ? ids
            : throw new JobRejectedException(
                FailureCodes.ContextLengthExceeded,
                $"{field} is too long: {ids.Count} tokens, but the model's context holds {context} with the output; shorten it to "
                    + $"{context - 1} or fewer."
            );
    }

    /// <summary>A tokenizer may know a token or two more than the model has rows for.</summary>
    private IReadOnlyList<int> WithRows(string field, IReadOnlyList<int> ids)
    {
        var size = engine.Description.VocabularySize;
        Require(
            ids.All(id => id < size),
            $"{field} has the text of token {ids.FirstOrDefault(id => id >= size)}, which the tokenizer knows, and for which the model has "
                + $"no row (0 to {size - 1}); leave it out."
        );
        return ids;
    }

    /// <summary>
    /// What can't be in the context however well it is encoded is not encoded: that takes a hundred bytes of memory for each character of a
    /// word.
    /// </summary>
    private void RefuseUnread(string field, long length, long bytes)
    {
        var (context, longest) = (engine.Description.ContextLength, engine.PromptEncoder.MaxTokenBytes);
        if (bytes > (long)context * longest * Shrinking)
        {
            throw new JobRejectedException(
                FailureCodes.ContextLengthExceeded,
                $"{field} is too long: {length} characters, more than the model's context of {context} tokens can be; no token is longer "
                    + $"than {longest} bytes. Shorten it."
            );
        }
    }

    /// <summary>Long texts one at a time, so that memory for one is enough.</summary>
    private IReadOnlyList<int> Encode(long length, Func<IReadOnlyList<int>> encode)
    {
        if (length <= LongText)
        {
            return Encode(encode);
        }

        lock (_longText)
        {
            return Encode(encode);
        }
    }

    private static IReadOnlyList<int> Encode(Func<IReadOnlyList<int>> encode)
    {
        try
        {
            return encode();
        }
        catch (ChatRefusedException exception)
        {
            throw new JobRejectedException(FailureCodes.InvalidRequest, $"{NameOf(exception.Part)}: {exception.Message}");
        }
        catch (ArgumentException exception)
        {
            throw new JobRejectedException(FailureCodes.InvalidRequest, exception.Message);
        }
    }

    private static string NameOf(ChatPart part) =>
        JobFieldNames.InMessages(
            part switch
            {
                ChatPart.Tools => nameof(SubmitGenerationJob.Tools),
                ChatPart.Documents => nameof(SubmitGenerationJob.Documents),
                ChatPart.Variables => nameof(SubmitGenerationJob.ChatTemplateKwargs),
                _ => nameof(SubmitGenerationJob.Messages),
            }
        );

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new JobRejectedException(FailureCodes.InvalidRequest, message);
        }
    }
}
