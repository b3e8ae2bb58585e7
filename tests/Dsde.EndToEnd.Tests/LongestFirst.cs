using Dsde.EndToEnd.Tests.Chaos;
using Dsde.EndToEnd.Tests.Documents;
using Dsde.EndToEnd.Tests.Fuzzing;
using Dsde.EndToEnd.Tests.Hosting;
using Dsde.EndToEnd.Tests.Interop;
using Dsde.EndToEnd.Tests.Routing;
using Dsde.EndToEnd.Tests.Scale;
using Dsde.EndToEnd.Tests.Tracing;
using Xunit.Sdk;
using Xunit.v3;

namespace Dsde.EndToEnd.Tests;

/// <summary>
/// Begins with the classes that take longest, so that none of them runs alone at the end; the others in the order of their names.
/// </summary>
internal sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Longest =
    [
        nameof(ChaosTests),
        nameof(ExactMomentTests),
        nameof(QueueTests),
        nameof(DocumentCommandsTests),
        nameof(ManyWorkersTests),
        nameof(BrokerOutageTests),
        nameof(TakeoverTests),
        nameof(JobFilesAsPeopleHaveThemTests),
        nameof(FuzzTests),
        nameof(ClientOutageTests),
        nameof(AcknowledgementTimeoutTests),
        nameof(LogTests),
        nameof(RoutingTests),
        nameof(AnalysisTests),
        nameof(KillerJobTests),
        nameof(ClientCommandTests),
        nameof(AttendanceTests),
        nameof(SilentBrokerTests),
        nameof(StatusPageTests),
        nameof(BrokerTests),
        nameof(PausedWorkerTests),
        nameof(HungEngineTests),
        nameof(TraceTests),
        nameof(DatabaseOutageTests),
        nameof(SampleProgramTests),
    ];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(RankOf).ThenBy(collection => collection.TestCollectionDisplayName, StringComparer.Ordinal)];

    private static int RankOf<TTestCollection>(TTestCollection collection)
        where TTestCollection : ITestCollection =>
        Array.FindIndex(Longest, name => collection.TestCollectionDisplayName.Contains($".{name} ", StringComparison.Ordinal)) is var rank
        && rank < 0
            ? Longest.Length
            : rank;
}
