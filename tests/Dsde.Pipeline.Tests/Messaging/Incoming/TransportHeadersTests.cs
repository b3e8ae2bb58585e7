using Dsde.Pipeline.Messaging.Incoming;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Tests.Messaging.Incoming;

public sealed class TransportHeadersTests
{
    public static TheoryData<object?> Large =>
        [
            new string('x', TransportHeaders.MaxBytes),
            new byte[TransportHeaders.MaxBytes],
            Enumerable.Range(0, 5_000).Select(number => (object?)number).ToList(),
            new Dictionary<string, object?>
            {
                ["a"] = new Dictionary<string, object?> { ["b"] = new List<object?> { new string('ö', TransportHeaders.MaxBytes / 2) } },
            },
        ];

    [Theory]
    [MemberData(nameof(Large))]
    public void Headers_that_would_not_fit_in_a_frame_with_a_reason_are_taken_away_and_that_is_said(object? value)
    {
        var headers = new Dictionary<string, object?> { ["small"] = 1, ["large"] = value };

        TransportHeaders.Bound(headers);

        headers.ShouldHaveSingleItem().Key.ShouldBe("dsde-headers-removed");
    }

    [Fact]
    public void Headers_that_are_nested_deeper_than_any_stack_are_taken_away()
    {
        const int depth = 1_000_000;
        var headers = new Dictionary<string, object?>
        {
            ["tables"] = Enumerable
                .Range(0, depth)
                .Aggregate((object?)null, (inner, _) => new Dictionary<string, object?> { ["t"] = inner }),
            ["lists"] = Enumerable.Range(0, depth).Aggregate((object?)null, (inner, _) => new List<object?> { inner }),
        };

        TransportHeaders.Bound(headers);

        headers.ShouldHaveSingleItem().Key.ShouldBe("dsde-headers-removed");
    }

    [Fact]
    public void Other_headers_stay()
    {
        var headers = new Dictionary<string, object?>
        {
            ["traceparent"] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            ["a"] = null,
            ["b"] = true,
        };

        TransportHeaders.Bound(headers);

        headers.Count.ShouldBe(3);
    }
}
