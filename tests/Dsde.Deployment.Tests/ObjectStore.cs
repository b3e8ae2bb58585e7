using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Dsde.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Dsde.Deployment.Tests;

/// <summary>
/// As much of Kubernetes as helm needs to install, upgrade, roll back and uninstall: it keeps the objects that it is given, by their paths,
/// and runs nothing. Helm's own records of releases are in a database.
/// </summary>
internal sealed class ObjectStore : IAsyncDisposable
{
    private static readonly Dictionary<string, (string Plural, string Kind)[]> Resources = new()
    {
        ["v1"] = [("secrets", "Secret"), ("configmaps", "ConfigMap"), ("services", "Service"), ("serviceaccounts", "ServiceAccount")],
        ["apps/v1"] = [("deployments", "Deployment")],
        ["batch/v1"] = [("jobs", "Job")],
    };

    private readonly ConcurrentDictionary<string, JsonObject> _objects = new();
    private readonly ScratchFolder _folder = new();
    private readonly WebApplication _server;

    private readonly string _records;

    private readonly bool _jobsFail;

    private ObjectStore(WebApplication server, string records, bool jobsFail) =>
        (_server, _records, _jobsFail) = (server, records, jobsFail);

    /// <summary>What was applied and deleted, one after the other: <c>apply</c> or <c>delete</c>, kind and name.</summary>
    public ConcurrentQueue<string> Changes { get; } = new();

    /// <summary>What is kept.</summary>
    public ICollection<JsonObject> Objects => _objects.Values;

    /// <summary>Starts one on a free port.</summary>
    /// <param name="database">Connection string of a database for helm's records.</param>
    /// <param name="jobsFail">Whether Jobs fail; they succeed as soon as they are made otherwise.</param>
    public static async Task<ObjectStore> StartAsync(string database, bool jobsFail = false)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var parts = new Npgsql.NpgsqlConnectionStringBuilder(database);
        var records = $"postgresql://{parts.Username}:{parts.Password}@{parts.Host}:{parts.Port}/{parts.Database}?sslmode=disable";
        var store = new ObjectStore(builder.Build(), records, jobsFail);
        store._server.Run(store.AnswerAsync);
        await store._server.StartAsync();
        await File.WriteAllTextAsync(
            store.Settings,
            $$"""
            apiVersion: v1
            kind: Config
            clusters: [{ name: test, cluster: { server: "{{store.Address}}" } }]
            contexts: [{ name: test, context: { cluster: test, user: test } }]
            users: [{ name: test, user: { token: test } }]
            current-context: test
            """
        );
        return store;
    }

    /// <summary>Keeps an object, as if helm had made it.</summary>
    public void Put(string path, string json) => _objects[path] = JsonNode.Parse(json)!.AsObject();

    /// <summary>Runs helm against it.</summary>
    public async Task HelmAsync(params string[] arguments)
    {
        var ended = await RunHelmAsync(arguments);
        ended.ExitCode.ShouldBe(0, ended.Output + ended.Error);
    }

    /// <summary>Runs helm against it, which fails; what it says.</summary>
    public async Task<string> FailAsync(params string[] arguments)
    {
        var ended = await RunHelmAsync(arguments);
        ended.ExitCode.ShouldNotBe(0, ended.Output);
        return ended.Error;
    }

    private Task<Ended> RunHelmAsync(string[] arguments) =>
        Command.RunAsync(
            [Dsde.Testing.Repository.PathOf("eng", "helm.sh"), .. arguments],
            environment:
            [
                ("KUBECONFIG", Settings),
                ("HELM_NAMESPACE", "default"),
                ("HELM_DRIVER", "sql"),
                ("HELM_DRIVER_SQL_CONNECTION_STRING", _records),
            ]
        );

    /// <summary>The only object of a kind.</summary>
    public JsonObject Single(string kind) => Objects.Single(kept => (string?)kept["kind"] == kind);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    private string Settings => Path.Combine(_folder.Path, "kubeconfig");

    private string Address => _server.Urls.Single();

    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        context.Response.ContentType = "application/json";
        if (context.Request.Query.ContainsKey("watch"))
        {
            await WatchAsync(context, path);
            return;
        }

        var (status, body) = Discover(path) is { } found ? (200, found) : await StoreAsync(context.Request, path);
        context.Response.StatusCode = status;
        await context.Response.WriteAsync(body.ToJsonString());
    }

    /// <summary>Tells of every change to a kind of objects, a line each, as long as the client listens.</summary>
    private async Task WatchAsync(HttpContext context, string path)
    {
        var known = new Dictionary<string, JsonObject>();
        var isFirst = context.Request.Query.ContainsKey("sendInitialEvents");
        try
        {
            await context.Response.StartAsync(context.RequestAborted);
            while (true)
            {
                var now = _objects.Where(kept => IsIn(path, kept.Key)).ToDictionary();
                var events = now.Where(kept => !known.TryGetValue(kept.Key, out var earlier) || earlier != kept.Value)
                    .Select(kept => ("MODIFIED", kept.Value))
                    .Concat(known.Where(kept => !now.ContainsKey(kept.Key)).Select(kept => ("DELETED", kept.Value)));
                foreach (var (kind, made) in events)
                {
                    var line = new JsonObject { ["type"] = kind, ["object"] = made.DeepClone() };
                    await context.Response.WriteAsync(line.ToJsonString() + "\n", context.RequestAborted);
                }

                if (isFirst)
                {
                    await context.Response.WriteAsync(EndOfPast(path).ToJsonString() + "\n", context.RequestAborted);
                }

                (known, isFirst) = (now, false);
                await context.Response.Body.FlushAsync(context.RequestAborted);
                await Task.Delay(50, context.RequestAborted);
            }
        }
        catch (OperationCanceledException)
        {
            // It has heard enough.
        }
    }

    /// <summary>Says to who asked for it that everything that was there has been told.</summary>
    private JsonObject EndOfPast(string collection)
    {
        var (version, kinds) = Resources.Single(resource => collection.StartsWith($"{RootOf(resource.Key)}/", StringComparison.Ordinal));
        return new()
        {
            ["type"] = "BOOKMARK",
            ["object"] = new JsonObject
            {
                ["apiVersion"] = version,
                ["kind"] = kinds.Single(kind => collection.EndsWith($"/{kind.Plural}", StringComparison.Ordinal)).Kind,
                ["metadata"] = new JsonObject
                {
                    ["resourceVersion"] = $"{Changes.Count}",
                    ["annotations"] = new JsonObject { ["k8s.io/initial-events-end"] = "true" },
                },
            },
        };
    }

    private static bool IsIn(string collection, string path) =>
        path.StartsWith(collection + "/", StringComparison.Ordinal) && !path[(collection.Length + 1)..].Contains('/');

    /// <summary>What kinds there are; null if a path is about something else.</summary>
    private static JsonObject? Discover(string path) =>
        path switch
        {
            "/version" => new()
            {
                ["major"] = "1",
                ["minor"] = "33",
                ["gitVersion"] = "v1.33.0",
            },
            "/api" => new() { ["kind"] = "APIVersions", ["versions"] = new JsonArray("v1") },
            "/apis" => new()
            {
                ["kind"] = "APIGroupList",
                ["apiVersion"] = "v1",
                ["groups"] = new JsonArray([.. Resources.Keys.Where(version => version.Contains('/')).Select(Group)]),
            },
            "/openapi/v3" => new()
            {
                ["paths"] = new JsonObject(
                    Resources.Keys.Select(version =>
                        KeyValuePair.Create(
                            RootOf(version)[1..],
                            (JsonNode?)new JsonObject { ["serverRelativeURL"] = $"/openapi/v3{RootOf(version)}" }
                        )
                    )
                ),
            },
            _ when Resources.Keys.FirstOrDefault(version => path == $"/openapi/v3{RootOf(version)}") is { } version => Schema(version),
            _ when Resources.Keys.FirstOrDefault(version => path == RootOf(version)) is { } version => new()
            {
                ["kind"] = "APIResourceList",
                ["groupVersion"] = version,
                ["resources"] = new JsonArray([
                    .. Resources[version]
                        .Select(resource => new JsonObject
                        {
                            ["name"] = resource.Plural,
                            ["kind"] = resource.Kind,
                            ["namespaced"] = true,
                            ["verbs"] = new JsonArray("create", "delete", "get", "list", "patch", "watch"),
                        }),
                ]),
            },
            _ => null,
        };

    private static string RootOf(string version) => $"/api{(version == "v1" ? "" : "s")}/{version}";

    /// <summary>Says of each kind that the server checks fields, so that helm need not.</summary>
    private static JsonObject Schema(string version) =>
        new()
        {
            ["openapi"] = "3.0.0",
            ["paths"] = new JsonObject(
                Resources[version]
                    .Select(resource =>
                        KeyValuePair.Create(
                            $"{RootOf(version)}/namespaces/{{namespace}}/{resource.Plural}/{{name}}",
                            (JsonNode?)
                                new JsonObject
                                {
                                    ["patch"] = new JsonObject
                                    {
                                        ["parameters"] = new JsonArray(new JsonObject { ["name"] = "fieldValidation", ["in"] = "query" }),
                                        ["x-kubernetes-group-version-kind"] = new JsonObject
                                        {
                                            ["group"] = version == "v1" ? "" : version.Split('/')[0],
                                            ["version"] = version.Split('/')[^1],
                                            ["kind"] = resource.Kind,
                                        },
                                    },
                                }
                        )
                    )
            ),
        };

    private static JsonObject Group(string version) =>
        new()
        {
            ["name"] = version.Split('/')[0],
            ["versions"] = new JsonArray(new JsonObject { ["groupVersion"] = version, ["version"] = version.Split('/')[1] }),
        };

    private async Task<(int Status, JsonObject Body)> StoreAsync(HttpRequest request, string path)
    {
        var isCollection = Resources.Values.Any(kinds => kinds.Any(kind => path.EndsWith($"/{kind.Plural}", StringComparison.Ordinal)));
        if (request.Method is "POST" or "PUT" or "PATCH")
        {
            var given = (JsonObject)(await JsonNode.ParseAsync(request.Body) ?? throw new InvalidOperationException($"{path}: no body"));
            if (request.Method == "PATCH" && request.ContentType != "application/apply-patch+yaml")
            {
                throw new NotSupportedException($"{path}: {request.ContentType} is not what this store understands.");
            }

            Note(request.Method, given);
            given["metadata"]!["namespace"] ??= "default";
            given["metadata"]!["uid"] ??= Guid.NewGuid().ToString();
            given["metadata"]!["resourceVersion"] = $"{Changes.Count}";
            if ((string?)given["kind"] == "Job")
            {
                given["status"] = Ended();
            }

            _objects[isCollection ? $"{path}/{given["metadata"]!["name"]}" : path] = given;
            return (request.Method == "POST" ? 201 : 200, given);
        }

        if (isCollection)
        {
            return (
                200,
                new()
                {
                    ["kind"] = "List",
                    ["apiVersion"] = "v1",
                    ["metadata"] = new JsonObject { ["resourceVersion"] = $"{Changes.Count}" },
                    ["items"] = new JsonArray([.. _objects.Where(made => IsIn(path, made.Key)).Select(made => made.Value.DeepClone())]),
                }
            );
        }

        var isKept = request.Method == "DELETE" ? _objects.TryRemove(path, out var kept) : _objects.TryGetValue(path, out kept);
        if (isKept && request.Method == "DELETE")
        {
            Note(request.Method, kept!);
        }

        return isKept && kept is not null
            ? (200, kept)
            : (
                404,
                new()
                {
                    ["kind"] = "Status",
                    ["apiVersion"] = "v1",
                    ["status"] = "Failure",
                    ["reason"] = "NotFound",
                    ["code"] = 404,
                }
            );
    }

    private void Note(string method, JsonObject made) =>
        Changes.Enqueue($"{(method == "DELETE" ? "delete" : "apply")} {made["kind"]}/{made["metadata"]!["name"]}");

    /// <summary>State of a Job whose pod has run.</summary>
    private JsonObject Ended() =>
        new()
        {
            [_jobsFail ? "failed" : "succeeded"] = 1,
            ["conditions"] = new JsonArray(new JsonObject { ["type"] = _jobsFail ? "Failed" : "Complete", ["status"] = "True" }),
        };
}
