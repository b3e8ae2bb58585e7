using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Dsde.Contracts;
using Dsde.Pipeline.Telemetry;
using RabbitMQ.Client;

namespace Dsde.EndToEnd.Tests.Fuzzing;

/// <summary>
/// Messages that nobody should send, always the same ones for a seed. All of their prompts have <see cref="Marker"/>, which must show up
/// nowhere.
/// </summary>
internal sealed class HostileMessages(int seed, IReadOnlyList<Guid> goodJobs)
{
    /// <summary>A word of every prompt.</summary>
    public const string Marker = "plugh-xyzzy";

    private const string EnvelopeType = "application/vnd.masstransit+json";
    private static readonly string[] Fields =
    [
        "batchId",
        "customId",
        "model",
        "prompt",
        "messages",
        "maxTokens",
        "temperature",
        "topP",
        "topK",
        "minP",
        "repetitionPenalty",
        "presencePenalty",
        "frequencyPenalty",
        "logitBias",
        "stop",
        "stopTokenIds",
        "ignoreEos",
        "responseFormat",
        "guidedJson",
        "guidedRegex",
        "guidedChoice",
        "choiceCount",
        "seed",
        "samplingMode",
        "policy",
        "priority",
        "expiresAt",
        "metadata",
        "returnLogProbabilities",
        "topLogProbabilityCount",
        "returnTokenIds",
    ];

    private static readonly string[] Values =
    [
        "1e999",
        "-1e400",
        "1e-999",
        "99999999999999999999999999",
        "-9223372036854775809",
        "2147483648",
        "\"NaN\"",
        "\"Infinity\"",
        "NaN",
        "-Infinity",
        "0x10",
        "01",
        ".5",
        "[]",
        "{}",
        "[[[[]]]]",
        "\"\"",
        "\" \"",
        "null",
        "true",
        "-0",
        "1.5",
        "\"7\"",
        "[null]",
        "[\"\"]",
        "{\"\":\"\"}",
        "{\"a\":null}",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\\u202e\"",
        "[1e999]",
        "[-1]",
        "[2147483647]",
        "{\"role\":7}",
        "[{\"role\":\"root\",\"content\":\"a\"}]",
        "[{\"role\":\"user\",\"content\":null}]",
        "[{\"role\":null,\"content\":\"a\"}]",
        "[{\"content\":\"a\"}]",
        "[{}]",
        "{\"999999\":1}",
        "{\"-1\":1}",
        "{\"1\":1e999}",
        "\"9999-99-99T99:99:99Z\"",
        "\"2020-01-01\"",
        "\"'; DROP TABLE generation_jobs; --\"",
    ];

    private static readonly string[] WrongOptions =
    [
        "\"temperature\":-1",
        "\"temperature\":2.0001",
        "\"topP\":0",
        "\"topP\":1.1",
        "\"topK\":-1",
        "\"minP\":2",
        "\"repetitionPenalty\":0",
        "\"presencePenalty\":3",
        "\"frequencyPenalty\":-3",
        "\"maxTokens\":0",
        "\"maxTokens\":-2147483648",
        "\"choiceCount\":0",
        "\"choiceCount\":129",
        "\"choiceCount\":-1",
        "\"topLogProbabilityCount\":5",
        "\"topLogProbabilityCount\":21,\"returnLogProbabilities\":true",
        "\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]",
        "\"messages\":[]",
        "\"samplingMode\":\"greedy\"",
        "\"samplingMode\":\"\"",
        "\"policy\":\"static:0\"",
        "\"policy\":\"static:99999999999\"",
        "\"policy\":\"../../etc/passwd\"",
        "\"stop\":[\"\"]",
        "\"stopTokenIds\":[-1]",
        "\"stopTokenIds\":[99999999]",
        "\"logitBias\":{\"the\":1}",
        "\"logitBias\":{\"1\":101}",
        "\"logitBias\":{\"-1\":1}",
    ];

    private static readonly string[] Models =
    [
        "",
        " ",
        "other",
        "../../etc/passwd",
        "/etc/passwd",
        "..\\\\..\\\\windows",
        "models/dsde-demo-target",
        "file:///etc/passwd",
        "http://127.0.0.1/",
        "dsde-demo\\u0000",
        "DSDE-DEMO",
        "dsde-demo/",
        "%2e%2e%2f",
        "${HOME}",
        "con",
    ];
    private static readonly string[] ContentTypes =
    [
        "text/plain",
        "application/json; charset=utf-16",
        "application/vnd.masstransit+bson",
        "application/octet-stream",
        "///",
        ";",
        "application/json\u0001",
        "multipart/form-data; boundary=\"",
        "application/xml",
        "é/ü",
    ];
    private static readonly string[] Tokens =
    [
        "{",
        "}",
        "[",
        "]",
        "\"",
        "\\",
        ":",
        ",",
        "null",
        "true",
        "1e999",
        "\\u0000",
        "\\ud800",
        "\0",
        "/*",
        "//",
        "\u00ff",
        "-",
        "\n",
    ];

    private readonly Random _random = new(seed);

    /// <summary>A message that nobody knows what to do with.</summary>
    public FuzzMessage Create(int number)
    {
        var jobId = NewGuid();
        return (number % 20) switch
        {
            0 => Bytes(number, jobId),
            1 => new FuzzMessage(number, "cut off", jobId, Good(jobId)[..^_random.Next(1, Good(jobId).Length)]),
            2 or 3 => Value(number, jobId),
            4 => new FuzzMessage(number, "wrong option", jobId, Job(jobId, Pick(WrongOptions))),
            5 => BadText(number, jobId),
            6 => new FuzzMessage(
                number,
                "unknown model",
                jobId,
                $$"""{"jobId":"{{jobId}}","model":"{{Pick(Models)}}","prompt":"{{Marker}}"}"""
            ),
            7 => JobIds(number, jobId),
            8 => Envelope(number, jobId),
            9 => new FuzzMessage(number, "content type", jobId, Good(jobId)) { ContentType = Pick(ContentTypes), MayComplete = true },
            10 => Headers(number, jobId),
            11 => Nested(number, jobId),
            12 => Twice(number, jobId),
            13 => TooLong(number, jobId),
            14 => Encoded(number, jobId),
            15 => new FuzzMessage(number, "conflict", goodJobs[_random.Next(goodJobs.Count)], "") is var conflict
                ? conflict with
                {
                    Body = Encoding.UTF8.GetBytes(Job(conflict.JobId, $"\"seed\":{number}")),
                }
                : conflict,
            16 when number % 200 == 16 => Large(number, jobId),
            17 when number % 100 == 17 => new FuzzMessage(number, "time to live", jobId, Job(jobId, "\"maxTokens\":0"))
            {
                Expiration = "1",
            },
            _ => Mutated(number, jobId),
        };
    }

    /// <summary>A job that anybody might send.</summary>
    public static FuzzMessage CreateGood(int number, Guid jobId) =>
        new(number, "good", jobId, Good(jobId, seed: number)) { MayComplete = true };

    /// <summary>The next id; the same ones for a seed.</summary>
    public Guid NewGuid()
    {
        Span<byte> bytes = stackalloc byte[16];
        _random.NextBytes(bytes);
        return new Guid(bytes);
    }

    private static string Good(Guid jobId, int seed = 1) =>
        Job(
            jobId,
            $"\"maxTokens\":{8 + (seed % 9)},\"temperature\":{(seed % 2 == 0 ? "0" : "0.8")},\"seed\":{seed},\"stop\":[\"\\n\"],"
                + $"\"ignoreEos\":true,\"metadata\":{{\"workload\":\"fuzz\"}}"
        );

    private static string Job(Guid jobId, string fields, string prompt = $"Q: {Marker} größer 🙂?") =>
        $$"""{"jobId":"{{jobId}}","model":"dsde-demo","prompt":"{{prompt}}",{{fields}}}""";

    private FuzzMessage Bytes(int number, Guid jobId)
    {
        var body = new byte[
            _random.Next(3) switch
            {
                0 => 0,
                1 => _random.Next(1, 9),
                _ => _random.Next(9, 4000),
            }
        ];
        _random.NextBytes(body);
        return new FuzzMessage(number, "bytes", jobId, body) { ContentType = _random.Next(2) == 0 ? null : EnvelopeType };
    }

    private FuzzMessage Value(int number, Guid jobId)
    {
        var field = Pick(Fields);
        var body =
            field is "model" ? $$"""{"jobId":"{{jobId}}","model":{{Pick(Values)}},"prompt":"{{Marker}}"}"""
            : field is "prompt" ? $$"""{"jobId":"{{jobId}}","model":"dsde-demo","prompt":{{Pick(Values)}},"maxTokens":2}"""
            : field is "messages" ? $$"""{"jobId":"{{jobId}}","model":"dsde-demo","messages":{{Pick(Values)}},"maxTokens":2}"""
            : Job(jobId, $"\"{field}\":{Pick(Values)}" + (field == "maxTokens" ? "" : ",\"maxTokens\":2"));
        return new FuzzMessage(number, $"value of {field}", jobId, body) { MayComplete = true };
    }

    private FuzzMessage BadText(int number, Guid jobId)
    {
        byte[][] bad =
        [
            [0xFF],
            [0xC3, 0x28],
            [0xED, 0xA0, 0x80],
            [0xF0, 0x28, 0x8C, 0x28],
            [0xC0, 0x80],
            [0],
            [0xEF, 0xBF],
            "\\u0000"u8.ToArray(),
            "\\ud800"u8.ToArray(),
            "\\udfff\\udfff"u8.ToArray(),
            "\\u12"u8.ToArray(),
            "\\x41"u8.ToArray(),
            "\u0007"u8.ToArray(),
        ];
        var field = Pick(["prompt", "model", "customId", "policy"]);
        var rest =
            field == "prompt"
                ? "\"model\":\"dsde-demo\""
                : $"\"prompt\":\"{Marker}\"" + (field == "model" ? "" : ",\"model\":\"dsde-demo\"");
        return new FuzzMessage(
            number,
            $"text of {field}",
            jobId,
            [
                .. Encoding.UTF8.GetBytes($"{{\"jobId\":\"{jobId}\",{rest},\"{field}\":\"{Marker[..3]}"),
                .. bad[_random.Next(bad.Length)],
                .. "\"}"u8,
            ]
        );
    }

    private FuzzMessage JobIds(int number, Guid jobId)
    {
        var id = Pick([
            "",
            "\"jobId\":null,",
            "\"jobId\":7,",
            "\"jobId\":\"\",",
            "\"jobId\":\"seven\",",
            $"\"jobId\":\"{Guid.Empty}\",",
            $"\"jobId\":\"{{{jobId}}}\",",
            $"\"jobId\":\"{jobId:N}\",",
            $"\"jobId\":\" {jobId}\",",
            $"\"jobId\":[\"{jobId}\"],",
            $"\"jobId\":\"{jobId}\",\"jobId\":\"{NewGuid()}\",",
            $"\"jobId\":\"{jobId}\",\"JOBID\":null,",
        ]);
        return new FuzzMessage(number, "job id", jobId, $"{{{id}\"model\":\"dsde-demo\",\"prompt\":\"{Marker}\"}}");
    }

    private FuzzMessage Envelope(int number, Guid jobId)
    {
        var (type, message, good) = (
            "\"urn:message:Dsde.Contracts:SubmitGenerationJob\"",
            Job(jobId, "\"maxTokens\":2"),
            $"\"messageId\":\"{NewGuid()}\","
        );
        var (kind, body, mayComplete) = _random.Next(10) switch
        {
            0 => (
                "another type",
                $"{{{good}\"messageType\":[\"urn:message:Dsde.Contracts:CancelGenerationJob\"],\"message\":{message}}}",
                false
            ),
            1 => ("no type", $"{{{good}\"message\":{message}}}", false),
            2 => ("no message", $"{{{good}\"messageType\":[{type}]}}", false),
            3 => ("message of text", $"{{{good}\"messageType\":[{type}],\"message\":{JsonSerializer.Serialize(message)}}}", false),
            4 => (
                "fault address",
                $"{{{good}\"faultAddress\":\"rabbitmq://127.0.0.1:1/nowhere\",\"responseAddress\":\"queue:dsde-stolen\","
                    + $"\"messageType\":[{type}],\"message\":{Job(jobId, "\"maxTokens\":0")}}}",
                false
            ),
            5 => (
                "bad addresses",
                $"{{{good}\"faultAddress\":\"::::\",\"sourceAddress\":\"\\u0000\",\"requestId\":\"x\",\"messageType\":[{type}],"
                    + $"\"message\":{message}}}",
                true
            ),
            6 => (
                "large headers",
                $"{{{good}\"headers\":{{\"a\":\"{new string('h', 200_000)}\"}},\"messageType\":[{type}],\"message\":{message}}}",
                true
            ),
            7 => (
                "odd values",
                $"{{\"messageId\":7,\"headers\":7,\"host\":[],\"sentTime\":\"x\",\"expirationTime\":\"2001-01-01\","
                    + $"\"messageType\":[{type},7,null,[]],\"message\":{message}}}",
                true
            ),
            8 => (
                "envelope in envelope",
                $"{{{good}\"messageType\":[{type}],\"message\":{{\"messageType\":[{type}],\"message\":{message}}}}}",
                false
            ),
            _ => ("two messages", $"{{{good}\"messageType\":[{type}],\"message\":{message},\"message\":{{}}}}", false),
        };
        return new FuzzMessage(number, $"envelope: {kind}", jobId, body) { ContentType = EnvelopeType, MayComplete = mayComplete };
    }

    private FuzzMessage Headers(int number, Guid jobId)
    {
        var (kind, headers) = _random.Next(8) switch
        {
            0 => ("large", new Dictionary<string, object?> { ["a"] = new string('h', 110_000) }),
            1 => ("many", Enumerable.Range(0, 2000).ToDictionary(index => $"h{index}", object? (index) => new string('h', 40))),
            2 => (
                "MassTransit's of other types",
                new()
                {
                    ["MT-Fault-Message"] = 7,
                    ["MT-MessageType"] = true,
                    ["MT-Host-Info"] = "x",
                    ["MT-Reason"] = new List<object> { 1 },
                    ["MT-Redelivery-Count"] = "many",
                    ["MT-Fault-Address"] = "rabbitmq://127.0.0.1:1/x",
                    ["MT-Response-Address"] = "::",
                }
            ),
            3 => (
                "forged fault",
                new()
                {
                    ["MT-Fault-Message"] = new string('f', 20_000),
                    ["MT-Fault-StackTrace"] = new string('s', 8_000),
                    ["x-death"] = "none",
                }
            ),
            4 => (
                "tracing",
                new()
                {
                    ["traceparent"] = "00-zz-zz-zz",
                    ["tracestate"] = new string('=', 4000),
                    ["MT-Activity-Id"] = "\u0000",
                    ["MT-Activity-Propagation"] = "Link",
                }
            ),
            5 => (
                "tables",
                new()
                {
                    ["t"] = Enumerable.Range(0, 30).Aggregate((object)"x", (inner, _) => new Dictionary<string, object?> { ["t"] = inner }),
                }
            ),
            6 => ("content type", new() { ["Content-Type"] = "application/vnd.masstransit+json", ["ContentType"] = "///" }),
            _ => (
                "odd types",
                new()
                {
                    ["a"] = null,
                    ["b"] = 1e300,
                    ["c"] = new byte[] { 0, 255 },
                    ["d"] = new AmqpTimestamp(long.MaxValue),
                    ["e"] = true,
                    ["f"] = new List<object?> { null, 1, "x" },
                }
            ),
        };

        // Some with a body that goes to the error queue, which adds headers.
        var isGood = _random.Next(2) == 0;
        return new FuzzMessage(number, $"headers: {kind}", jobId, isGood ? Good(jobId) : "{}")
        {
            Headers = headers,
            MayComplete = isGood,
            CorrelationId = Pick(["", "x", "\u0001", new string('c', 250)]),
            ReplyTo = Pick(["", "nowhere", "rabbitmq://127.0.0.1:1/x"]),
        };
    }

    private FuzzMessage Nested(int number, Guid jobId)
    {
        var depth = Pick([63, 65, 1000, 100_000]);
        var (open, close) = _random.Next(2) == 0 ? ("[", "]") : ("{\"a\":", "}");
        var nest =
            string.Concat(Enumerable.Repeat(open, depth)) + "1" + string.Concat(Enumerable.Repeat(close, _random.Next(2) == 0 ? depth : 0));
        return new FuzzMessage(
            number,
            "nested",
            jobId,
            _random.Next(3) switch
            {
                0 => nest,
                1 => Job(jobId, $"\"x\":{nest}"),
                _ => Job(jobId, $"\"metadata\":{nest}"),
            }
        )
        {
            MayComplete = depth < 64,
            ContentType = Pick([EnvelopeType, "application/json"]),
        };
    }

    private FuzzMessage Twice(int number, Guid jobId)
    {
        var (field, value) = Pick([
            ("model", "\"other\""),
            ("prompt", "\"b\""),
            ("MODEL", "\"other\""),
            ("m\\u006fdel", "\"other\""),
            ("maxTokens", "3,\"maxTokens\":4"),
        ]);
        return new FuzzMessage(number, "given twice", jobId, Job(jobId, $"\"{field}\":{value}"));
    }

    private FuzzMessage TooLong(int number, Guid jobId)
    {
        string Long(int length) => new('x', length);
        var fields = _random.Next(9) switch
        {
            0 => $"\"customId\":\"{Long(513)}\"",
            1 => $"\"customId\":\"{Long(100_000)}\"",
            2 => $"\"metadata\":{{\"{Long(65)}\":\"a\"}}",
            3 => $"\"metadata\":{{\"a\":\"{Long(513)}\"}}",
            4 => $"\"metadata\":{{{string.Join(',', Enumerable.Range(0, 17).Select(index => $"\"{index}\":\"a\""))}}}",
            5 => $"\"stop\":[{string.Join(',', Enumerable.Repeat("\"a\"", 17))}]",
            6 => $"\"stop\":[\"{Long(1025)}\"]",
            7 => $"\"policy\":\"{Long(10_000)}\"",
            _ => $"\"stopTokenIds\":[{string.Join(',', Enumerable.Repeat("1", 257))}]",
        };
        return new FuzzMessage(number, "too long", jobId, Job(jobId, fields));
    }

    private FuzzMessage Encoded(int number, Guid jobId)
    {
        var good = Good(jobId);
        var (kind, body, mayComplete) = _random.Next(6) switch
        {
            0 => ("UTF-16", Encoding.Unicode.GetBytes(good), false),
            1 => ("UTF-32", Encoding.UTF32.GetBytes(good), false),
            2 => ("byte order mark", [.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(good)], true),
            3 => ("Latin-1", Encoding.Latin1.GetBytes(good.Replace("größer", "größßer", StringComparison.Ordinal)), false),
            4 => ("compressed", Compress(good), false),
            _ => ("comments", Encoding.UTF8.GetBytes($"/* a */ {good} // b"), true),
        };
        return new FuzzMessage(number, $"encoded: {kind}", jobId, body) { MayComplete = mayComplete };
    }

    /// <summary>Prompts of megabytes, most above what a message may have.</summary>
    private FuzzMessage Large(int number, Guid jobId)
    {
        var length = Pick([1 << 20, 3 << 20, (4 << 20) + 1, 8 << 20]);
        var prompt = _random.Next(3) switch
        {
            0 => new string('x', length),
            1 => string.Concat(Enumerable.Repeat("word ", length / 5)),
            _ => string.Concat(Enumerable.Repeat("ö🙂", length / 6)),
        };
        return new FuzzMessage(number, "large", jobId, Job(jobId, "\"maxTokens\":2", prompt));
    }

    /// <summary>A good job in which some bytes became others, but not those of its id.</summary>
    private FuzzMessage Mutated(int number, Guid jobId)
    {
        var body = Encoding.UTF8.GetBytes(Good(jobId, _random.Next(100))).ToList();
        var safe = "{\"jobId\":\"".Length + 36 + 2;
        for (var changes = _random.Next(1, 6); changes > 0 && body.Count > safe + 1; changes--)
        {
            var place = _random.Next(safe, body.Count);
            switch (_random.Next(4))
            {
                case 0:
                    body[place] ^= (byte)(1 << _random.Next(8));
                    break;
                case 1:
                    body.RemoveRange(place, Math.Min(body.Count - place, _random.Next(1, 6)));
                    break;
                case 2:
                    body.InsertRange(place, Encoding.UTF8.GetBytes(Pick(Tokens)));
                    break;
                default:
                    body.InsertRange(place, body.GetRange(safe, _random.Next(1, Math.Min(40, body.Count - safe))));
                    break;
            }
        }

        return new FuzzMessage(number, "mutated", jobId, [.. body]) { MayComplete = true };
    }

    private static byte[] Compress(string text)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest))
        {
            gzip.Write(Encoding.UTF8.GetBytes(text));
        }

        return buffer.ToArray();
    }

    private T Pick<T>(T[] items) => items[_random.Next(items.Length)];
}
