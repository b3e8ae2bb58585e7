using System.Collections.Concurrent;
using System.Net;
using Dsde.Testing;
using ProtoBuf;

namespace Dsde.EndToEnd.Tests.Tracing;

/// <summary>Takes OTLP over HTTP (<c>http/protobuf</c>), and keeps the bodies as they come: names, ids and values stand in them in
/// clear.</summary>
internal sealed class OtlpCollector : IDisposable
{
    private readonly HttpListener _listener = new();

    public OtlpCollector()
    {
        Endpoint = $"http://127.0.0.1:{FreePorts.Find(1)}";
        _listener.Prefixes.Add(Endpoint + "/");
        _listener.Start();
        _ = ReceiveAsync();
    }

    public string Endpoint { get; }

    /// <summary>Variables by which a worker exports to it, without waiting for long.</summary>
    public (string Name, string Value)[] Settings =>
        [("OTEL_EXPORTER_OTLP_ENDPOINT", Endpoint), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"), ("OTEL_BSP_SCHEDULE_DELAY", "200")];

    /// <summary>Path and body of everything so far.</summary>
    public ConcurrentQueue<(string Path, byte[] Body)> Received { get; } = new();

    /// <summary>Everything that came to a path, one byte a character.</summary>
    public string TextOf(string path) =>
        string.Concat(Received.Where(item => item.Path == path).Select(item => System.Text.Encoding.Latin1.GetString(item.Body)));

    /// <summary>All spans so far.</summary>
    public IReadOnlyList<ReceivedSpan> Spans() =>
        [
            .. Received
                .Where(item => item.Path == "/v1/traces")
                .SelectMany(item => Serializer.Deserialize<OtlpTraces>(item.Body.AsSpan()).Resources)
                .SelectMany(resource => resource.Scopes.Select(scope => (Resource: resource, Scope: scope)))
                .SelectMany(one => one.Scope.Spans.Select(span => ReceivedSpan.Of(one.Resource, one.Scope, span))),
        ];

    public void Dispose() => _listener.Close();

    private async Task ReceiveAsync()
    {
        try
        {
            while (true)
            {
                var request = await _listener.GetContextAsync();
                using var body = new MemoryStream();
                await request.Request.InputStream.CopyToAsync(body);
                Received.Enqueue((request.Request.Url?.AbsolutePath ?? "", body.ToArray()));
                request.Response.StatusCode = 200;
                request.Response.Close();
            }
        }
        catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException)
        {
            // it was closed
        }
    }
}
