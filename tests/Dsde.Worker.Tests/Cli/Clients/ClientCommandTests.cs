using System.CommandLine;
using Dsde.Pipeline;
using Dsde.Worker.Cli.Clients;

namespace Dsde.Worker.Tests.Cli.Clients;

public sealed class ClientCommandTests : IDisposable
{
    private readonly StringWriter _error = new();

    public void Dispose() => _error.Dispose();

    [Fact]
    public async Task A_failure_that_nobody_has_foreseen_names_the_command_that_goes_on_once_something_is_done()
    {
        await Should.ThrowAsync<InvalidOperationException>(() => RunAsync(new InvalidOperationException("a bug"), hasBegun: true));

        _error.ToString().Trim().ShouldBe("dsde: ended before its time. Half is done. Go on with: dsde more");
    }

    [Fact]
    public async Task A_failure_that_was_foreseen_names_it_in_its_own_line()
    {
        var thrown = await Should.ThrowAsync<ExpectedFailureException>(() =>
            RunAsync(new ExpectedFailureException("The disk is full."), hasBegun: true)
        );

        thrown.Message.ShouldBe("The disk is full. Half is done. Go on with: dsde more");
        _error.ToString().ShouldBeEmpty();
    }

    [Fact]
    public async Task What_fails_before_anything_is_done_is_said_as_it_is()
    {
        var thrown = await Should.ThrowAsync<ExpectedFailureException>(() =>
            RunAsync(new ExpectedFailureException("It is unknown."), hasBegun: false)
        );

        thrown.Message.ShouldBe("It is unknown.");
        _error.ToString().ShouldBeEmpty();
    }

    [Theory]
    [InlineData("jobs.jsonl", "dsde verb jobs.jsonl")]
    [InlineData("my jobs.jsonl", "dsde verb 'my jobs.jsonl'")]
    [InlineData("it's", @"dsde verb 'it'\''s'")]
    [InlineData("$HOME", "dsde verb '$HOME'")]
    [InlineData("", "dsde verb ''")]
    public void A_command_can_be_copied_into_a_shell_whatever_its_words_are(string word, string command) =>
        CommandText.Join("dsde", "verb", word).ShouldBe(command);

    private async Task RunAsync(Exception failure, bool hasBegun) =>
        await new Failing(failure, hasBegun)
            .Parse("")
            .InvokeAsync(
                new InvocationConfiguration { Error = _error, EnableDefaultExceptionHandler = false },
                TestContext.Current.CancellationToken
            );

    private sealed class Failing : ClientCommand
    {
        private readonly Exception _failure;
        private readonly bool _hasBegun;

        public Failing(Exception failure, bool hasBegun)
            : base("fail", "Fails.")
        {
            (_failure, _hasBegun) = (failure, hasBegun);
            AddAll();
        }

        protected override Task<int> RunAsync(ClientRun run, CancellationToken cancellationToken)
        {
            if (_hasBegun)
            {
                run.Begin("Half is done. Go on with: dsde more");
            }

            return Task.FromException<int>(_failure);
        }
    }
}
