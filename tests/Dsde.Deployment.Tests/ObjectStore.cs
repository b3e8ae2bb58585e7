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

    private ObjectStore(WebApplication server, string records) => (_server, _records) = (server, records);

    /// <summary>What is kept.</summary>
    public ICollection<JsonObject> Objects => _objects.Values;

    /// <summary>Starts one on a free port.</summary>
    /// <param name="database">Connection string of a database for helm's records.</param>
    public static async Task<ObjectStore> StartAsync(string database)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var parts = new Npgsql.NpgsqlConnectionStringBuilder(database);
        var records = $"postgresql://{parts.Username}:{parts.Password}@{parts.Host}:{parts.Port}/{parts.Database}?sslmode=disable";
        var store = new ObjectStore(builder.Build(), records);
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

    /// <summary>Runs helm against it.</summary>
    public async Task HelmAsync(params string[] arguments)
    {
        var ended = await Command.RunAsync(
            [Dsde.Testing.Repository.PathOf("eng", "helm.sh"), .. arguments],
            environment:
            [
                ("KUBECONFIG", Settings),
                ("HELM_NAMESPACE", "default"),
                ("HELM_DRIVER", "sql"),
                ("HELM_DRIVER_SQL_CONNECTION_STRING", _records),
            ]
        );
        ended.ExitCode.ShouldBe(0, ended.Output + ended.Error);
    }

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
        var (status, body) = Discover(path) is { } found ? (200, found) : await StoreAsync(context.Request, path);
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(body.ToJsonString());
    }

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
            _ when Resources.Keys.FirstOrDefault(version => path == $"/api{(version == "v1" ? "" : "s")}/{version}") is { } version => new()
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
                            ["verbs"] = new JsonArray("create", "delete", "get", "patch"),
                        }),
                ]),
            },
            _ => null,
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

            _objects[isCollection ? $"{path}/{given["metadata"]!["name"]}" : path] = given;
            return (request.Method == "POST" ? 201 : 200, given);
        }

        var isKept = request.Method == "DELETE" ? _objects.TryRemove(path, out var kept) : _objects.TryGetValue(path, out kept);
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
}
