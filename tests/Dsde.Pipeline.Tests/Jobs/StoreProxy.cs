using System.Reflection;
using Dsde.Persistence;

namespace Dsde.Pipeline.Tests.Jobs;

/// <summary>A real store behind a wire that a test can cut: before a call, after it, or not at all.</summary>
public class StoreProxy : DispatchProxy
{
    private IJobStore? _store;
    private Action<string, object?[]>? _before;
    private Func<string, Task>? _after;

    /// <param name="store">What is really there.</param>
    /// <param name="before">Sees every call by name and arguments; what it throws is what the caller gets.</param>
    /// <param name="after">Sees the name of every call that went well, before its caller does.</param>
    public static IJobStore Create(IJobStore store, Action<string, object?[]>? before = null, Func<string, Task>? after = null)
    {
        var proxy = Create<IJobStore, StoreProxy>();
        (((StoreProxy)proxy)._store, ((StoreProxy)proxy)._before, ((StoreProxy)proxy)._after) = (store, before, after);
        return proxy;
    }

    /// <summary>What a caller sees of a database that can't be reached.</summary>
    public static DatabaseUnavailableException Away() => new("The database is away.", new TimeoutException());

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        ArgumentNullException.ThrowIfNull(targetMethod);
        var result = targetMethod.ReturnType.GetGenericArguments();
        return result.Length == 0
            ? RunAsync(targetMethod, args ?? [])
            : typeof(StoreProxy)
                .GetMethod(nameof(RunWithResultAsync), BindingFlags.Instance | BindingFlags.NonPublic)
                ?.MakeGenericMethod(result)
                .Invoke(this, [targetMethod, args]);
    }

    private async Task RunAsync(MethodInfo method, object?[] arguments)
    {
        _before?.Invoke(method.Name, arguments);
        await (Task)method.Invoke(_store, arguments)!;
        await (_after?.Invoke(method.Name) ?? Task.CompletedTask);
    }

    private async Task<T> RunWithResultAsync<T>(MethodInfo method, object?[] arguments)
    {
        _before?.Invoke(method.Name, arguments);
        var result = await (Task<T>)method.Invoke(_store, arguments)!;
        await (_after?.Invoke(method.Name) ?? Task.CompletedTask);
        return result;
    }
}
