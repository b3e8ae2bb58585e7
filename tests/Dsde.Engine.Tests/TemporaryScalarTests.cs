using Dsde.Engine.Torch;
using Dsde.Testing;

namespace Dsde.Engine.Tests;

public sealed class TemporaryScalarTests
{
    [Theory]
    [InlineData(typeof(Scalars))]
    [InlineData(typeof(TemporaryScalarTests))]
    public void No_call_gives_torch_a_number_that_nobody_holds(Type assembly) =>
        TemporaryScalars.CallsIn(assembly.Assembly).ShouldBeEmpty();

    [Theory]
    [InlineData("TorchSharp.torch/Tensor TorchSharp.torch/Tensor::op_Addition(TorchSharp.torch/Tensor,TorchSharp.torch/Tensor)")]
    [InlineData("TorchSharp.torch/Tensor TorchSharp.torch/Tensor::op_GreaterThan(TorchSharp.torch/Tensor,TorchSharp.Scalar)", false)]
    [InlineData("TorchSharp.torch/Tensor TorchSharp.torch/Tensor::add_(TorchSharp.torch/Tensor)")]
    [InlineData("TorchSharp.torch/Tensor TorchSharp.torch/optim/Optimizer::step(System.Func`1<TorchSharp.torch/Tensor>)")]
    public void Methods_that_make_a_number_for_themselves_are_recognised(string method, bool makesOne = true) =>
        TemporaryScalars.MakesOne(method).ShouldBe(makesOne);
}
