using Dsde.ModelForge.Training;
using Dsde.Testing;

namespace Dsde.ModelForge.Tests;

public sealed class TemporaryScalarTests
{
    [Theory]
    [InlineData(typeof(Trainer))]
    [InlineData(typeof(TemporaryScalarTests))]
    public void No_call_gives_torch_a_number_that_nobody_holds(Type assembly) =>
        TemporaryScalars.CallsIn(assembly.Assembly).ShouldBeEmpty();
}
