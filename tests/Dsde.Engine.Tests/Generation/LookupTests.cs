using Dsde.Engine.Sampling;
using Dsde.Speculation;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Generation;

/// <summary>Prompt lookup changes how fast a text comes, never the text.</summary>
public sealed class LookupTests(TestPair models) : IClassFixture<TestPair>
{
    [Theory]
    [InlineData("lookup", "dsde", 1)]
    [InlineData("lookup", "goodput", 16)]
    [InlineData("lookup", "static:4", 4)]
    [InlineData("lookup", "adaedl", 8)]
    [InlineData("both", "dsde", 4)]
    [InlineData("both", "dsde-paper", 16)]
    [InlineData("both", "static:5", 4)]
    [InlineData("both", "adaedl", 8)]
    [InlineData("both", "adaedl-batchstop:5", 4)]
    public async Task Greedy_output_is_that_of_autoregressive_decoding(string proposer, string policy, int batchSize)
    {
        var requests = Repeating(20).Select(prompt => Greedy(prompt, 60)).ToList();
        await using var plainEngine = Load(models.Target, draft: null, "autoregressive", batchSize: 1);
        await using var engine = LoadLooking(proposer, policy, batchSize);

        var plain = await plainEngine.GenerateAllAsync(requests);
        var results = await engine.GenerateAllAsync(requests);

        ShouldHaveLookedUp(results, proposer);
        for (var i = 0; i < results.Length; i++)
        {
            Sameness.ShouldBeSame(results[i], plain[i]);
        }
    }

    [Theory]
    [InlineData("lookup", "static:4")]
    [InlineData("both", "dsde")]
    public async Task A_seeds_coupled_text_is_the_same_with_and_without(string proposer, string policy)
    {
        var requests = Repeating(24).Select((prompt, i) => Sampled(prompt, 40, (ulong)i, i % 2 == 0 ? 0.3f : 1f, topK: 20)).ToList();
        await using var plainEngine = Load(models.Target, draft: null, "autoregressive", batchSize: 3);
        await using var engine = LoadLooking(proposer, policy, batchSize: 8);

        var plain = await plainEngine.GenerateAllAsync(requests);
        var results = await engine.GenerateAllAsync(requests);

        ShouldHaveLookedUp(results, proposer);
        for (var i = 0; i < results.Length; i++)
        {
            Sameness.ShouldBeSame(results[i], plain[i]);
        }
    }

    [Fact]
    public async Task Proposers_policies_and_modes_can_differ_within_a_batch()
    {
        string[] policies = ["dsde", "static:3", "adaedl", "autoregressive", "goodput"];
        Proposer?[] proposers = [null, Proposer.Lookup, Proposer.Both, Proposer.Draft];
        var requests = Repeating(40)
            .Select(
                (prompt, i) =>
                    (i % 3 == 0 ? Greedy(prompt, 40) : Sampled(prompt, 40, (ulong)i)) with
                    {
                        Policy = PolicyConfiguration.Parse(policies[i % 5]),
                        Proposer = proposers[i % 4],
                    }
            )
            .ToList();
        requests = [.. requests.Select((one, i) => i % 3 == 1 ? With(one, SamplingMode.Rejection) : one)];
        await using var plainEngine = Load(models.Target, draft: null, "autoregressive", batchSize: 1);
        await using var engine = Load(models.Target, models.Draft, batchSize: 8);

        var plain = await plainEngine.GenerateAllAsync(
            requests.Select(one => one with { Policy = PolicyConfiguration.Autoregressive, Proposer = null })
        );
        var results = await engine.GenerateAllAsync(requests);

        for (var i = 0; i < results.Length; i++)
        {
            results[i].Trace.Proposer.ShouldBe(proposers[i % 4] ?? Proposer.Draft);
            if (i % 3 != 1)
            {
                Sameness.ShouldBeSame(results[i], plain[i]);
            }
        }

        results
            .Where(result => result.Trace.Proposer == Proposer.Lookup)
            .ShouldAllBe(result => !result.Trace.Iterations.ProposedBy.Contains(ProposedBy.Draft));
    }

    [Fact]
    public async Task What_lookup_proposed_has_no_divergence_and_is_told_apart()
    {
        await using var engine = LoadLooking("both", "static:4", batchSize: 4);
        var results = await engine.GenerateAllAsync(Repeating(12).Select(prompt => Greedy(prompt, 60)));

        foreach (var trace in results.Select(result => result.Trace))
        {
            int proposal = 0,
                lookedUp = 0;
            for (var i = 0; i < trace.Iterations.SpeculationLength.Length; i++)
            {
                var (length, by) = (trace.Iterations.SpeculationLength[i], trace.Iterations.ProposedBy[i]);
                (by == ProposedBy.Nobody).ShouldBe(length == 0);
                lookedUp += by == ProposedBy.Lookup ? length : 0;
                foreach (var series in (float[][])[trace.Proposals.Kld, trace.Proposals.Beta, trace.Proposals.DraftEntropy])
                {
                    series[proposal..(proposal + length)].ShouldAllBe(value => float.IsNaN(value) == (by == ProposedBy.Lookup));
                }

                proposal += length;
            }

            (trace.Proposed, trace.LookupProposed).ShouldBe((proposal, lookedUp));
            trace.LookupAccepted.ShouldBeInRange(0, Math.Min(lookedUp, trace.Accepted));
        }

        results.Sum(result => result.Trace.LookupAccepted).ShouldBeGreaterThan(0);
        results.Sum(result => result.Trace.Proposed - result.Trace.LookupProposed).ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_draft_that_is_the_target_is_never_wrong_however_often_lookup_takes_its_turn()
    {
        // It costs as much as the target, so that lookup is preferred where it finds anything. Whatever the draft lacks of what lookup has
        // proposed it must have read before it proposes itself.
        await using var engine = Load(
            models.Target,
            models.Target,
            "static:3",
            batchSize: 4,
            options =>
            {
                options.Proposer = "both";
                options.Numerics = "deterministic";
                options.CostGuard = true;
                options.ProfileSeconds = 1;
            }
        );
        var results = await engine.GenerateAllAsync(Repeating(16).Select(prompt => Greedy(prompt, 60)));

        results.Sum(result => result.Trace.LookupProposed).ShouldBeGreaterThan(20);
        results
            .Sum(result => Enumerable.Range(0, result.Trace.Iterations.Accepted.Length).Sum(i => Rejected(result.Trace, i)))
            .ShouldBe(0, "The draft was wrong.");

        static int Rejected(Telemetry.GenerationTrace trace, int i) =>
            trace.Iterations.ProposedBy[i] == ProposedBy.Draft ? trace.Iterations.SpeculationLength[i] - trace.Iterations.Accepted[i] : 0;
    }

    [Fact]
    public async Task Without_a_draft_lookup_alone_is_profiled_and_guarded()
    {
        await using var engine = Load(
            models.Target,
            draft: null,
            "dsde",
            batchSize: 4,
            options =>
            {
                options.Proposer = "lookup";
                options.CostGuard = true;
                options.ProfileSeconds = 0.5;
            }
        );
        var requests = Repeating(12).Select(prompt => Greedy(prompt, 60)).ToList();
        await using var plainEngine = Load(models.Target, draft: null, "autoregressive", batchSize: 1);

        var (results, plain) = (await engine.GenerateAllAsync(requests), await plainEngine.GenerateAllAsync(requests));

        engine.Description.Costs.ShouldNotBeNull().LookupRest.ShouldNotBeNull();
        results.ShouldAllBe(result => result.Trace.IsGuarded);
        results.SelectMany(result => result.Trace.Iterations.Wish).Max().ShouldBeGreaterThan(0);
        for (var i = 0; i < results.Length; i++)
        {
            Sameness.ShouldBeSame(results[i], plain[i]);
        }
    }

    [Fact]
    public async Task Without_a_draft_any_other_proposer_is_refused_by_name()
    {
        await using var engine = Load(models.Target, draft: null, "dsde", change: options => options.Proposer = "lookup");
        var refusal = await Should.ThrowAsync<ArgumentException>(() =>
            engine.GenerateAllAsync([Greedy([1], 3) with { Proposer = Proposer.Both }])
        );
        refusal.Message.ShouldContain("Policy dsde with proposer both needs a draft model");
        (await engine.GenerateAllAsync([Greedy([1], 3, "autoregressive") with { Proposer = Proposer.Draft }]))[0]
            .TokenIds.Count.ShouldBe(3);

        Should
            .Throw<ModelLoadException>(() => Load(models.Target, draft: null, "dsde", change: options => options.Proposer = "both"))
            .Message.ShouldContain("proposer both needs a draft model");
    }

    /// <summary>Prompts with parts that come again, so that there is something to look up from the first token on.</summary>
    private static IEnumerable<int[]> Repeating(int count) =>
        Prompts(count).Select(prompt => (int[])[.. prompt, .. prompt.Take(9), 40, 41, 42, 43, .. prompt]);

    private static GenerationRequest With(GenerationRequest request, SamplingMode mode) =>
        request with
        {
            Sampling = request.Sampling with { Mode = mode },
        };

    private GenerationEngine LoadLooking(string proposer, string policy, int batchSize) =>
        Load(models.Target, proposer == "lookup" ? null : models.Draft, policy, batchSize, options => options.Proposer = proposer);

    private static void ShouldHaveLookedUp(GenerationResult[] results, string proposer)
    {
        var (accepted, proposed) = (results.Sum(one => one.Trace.LookupAccepted), results.Sum(one => one.Trace.LookupProposed));
        accepted.ShouldBeGreaterThan(0, "Nothing was accepted, so nothing was tried.");
        proposed.ShouldBeGreaterThan(accepted, "Nothing was rejected.");
        (results.Sum(one => one.Trace.Proposed) > proposed).ShouldBe(proposer == "both", "Who proposes is not what was asked for.");
    }
}
