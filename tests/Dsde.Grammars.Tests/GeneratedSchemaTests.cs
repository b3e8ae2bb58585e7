namespace Dsde.Grammars.Tests;

public sealed class GeneratedSchemaTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 20)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Whatever_a_writer_would_rather_write_every_output_is_valid_to_another_validator(int batch)
    {
        var written = 0;
        for (var seed = 20 * batch; seed < 20 * (batch + 1); seed++)
        {
            var text = new SchemaMaker(seed).Make().ToJsonString();
            var grammar = Outputs.Schema(text);
            var writer = new RandomWriter(seed);
            foreach (
                var output in new[] { writer.Write(grammar, isStubborn: true), writer.Write(grammar, false), writer.Write(grammar, false) }
            )
            {
                if (output is not null)
                {
                    Validator.FindMistake(text, output).ShouldBeNull($"seed {seed}, schema {text}, output {output}");
                    written++;
                }
            }
        }

        written.ShouldBeGreaterThan(40); // of 60: some never end
    }
}
