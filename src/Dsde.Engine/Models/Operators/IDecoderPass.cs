using Dsde.Engine.Kv;
using Dsde.Engine.Models.Passes;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Operators;

/// <summary>A forward pass as a whole, where that saves what single operators spend on the tensors between them.</summary>
internal interface IDecoderPass : IDisposable
{
    /// <summary>Runs the rows and writes their keys and values into the cache.</summary>
    /// <returns>Logits of the wanted rows before any cap, <c>[n, V] f32</c>, in the caller's scope.</returns>
    Tensor Run(PassRows rows, KvCache cache);
}
