using Dsde.Contracts;
using Dsde.Pipeline;
using Dsde.Pipeline.Messaging;
using Dsde.Testing;
using RabbitMQ.Client;

namespace Dsde.EndToEnd.Tests.Hosting;

/// <summary>What a real broker refuses is told in its own words, each with what it needs.</summary>
public sealed class BrokerRefusalTests(RabbitMqServer rabbitMq)
{
    [Fact]
    public async Task A_virtual_host_that_is_missing_is_named_and_nobody_is_told_to_delete_a_queue()
    {
        var said = await RefusedAsync(Options("nowhere"));

        said.ShouldContain("NOT_ALLOWED");
        said.ShouldContain("vhost nowhere not found");
        said.ShouldContain("rabbitmqctl add_vhost nowhere");
        said.ShouldNotContain("delete", Case.Insensitive);
    }

    [Fact]
    public async Task A_user_without_a_right_in_the_virtual_host_is_told_how_to_get_it()
    {
        var virtualHost = await rabbitMq.CreateVirtualHostAsync();
        await rabbitMq.SetUserAsync("reader", "reader", virtualHost, configure: "");

        var said = await RefusedAsync(Options(virtualHost, "reader"));

        said.ShouldContain("ACCESS_REFUSED");
        said.ShouldContain($"rabbitmqctl set_permissions -p {virtualHost} reader '.*' '.*' '.*'");
        said.ShouldNotContain("delete", Case.Insensitive);
    }

    [Fact]
    public async Task A_user_without_any_right_in_the_virtual_host_is_told_the_same()
    {
        var (virtualHost, other) = (await rabbitMq.CreateVirtualHostAsync(), await rabbitMq.CreateVirtualHostAsync());
        await rabbitMq.SetUserAsync("stranger", "stranger", other);

        var said = await RefusedAsync(Options(virtualHost, "stranger"));

        said.ShouldContain("refused");
        said.ShouldContain($"rabbitmqctl set_permissions -p {virtualHost} stranger");
        said.ShouldNotContain("delete", Case.Insensitive);
    }

    [Fact]
    public async Task A_queue_with_other_arguments_is_named_with_the_argument_and_may_be_deleted()
    {
        var options = Options(await rabbitMq.CreateVirtualHostAsync());
        await using (var connection = await PlainConnection.OpenAsync(options, TestContext.Current.CancellationToken))
        {
            await using var channel = await connection.CreateChannelAsync(TestContext.Current.CancellationToken);
            await channel.QueueDeclareAsync(
                QueueNames.UnroutedGenerationJobs,
                durable: true,
                exclusive: false,
                autoDelete: false,
                new Dictionary<string, object?> { ["x-queue-type"] = "quorum", ["x-delivery-limit"] = 7 },
                cancellationToken: TestContext.Current.CancellationToken
            );
        }

        var said = await RefusedAsync(options);

        said.ShouldContain("PRECONDITION_FAILED");
        said.ShouldContain("inequivalent arg 'x-d");
        said.ShouldContain($"'{QueueNames.UnroutedGenerationJobs}'");
        said.ShouldContain("delete it");
        said.ShouldNotContain('\n');
    }

    [Fact]
    public async Task A_broker_that_is_not_there_is_a_line_with_its_address_and_the_settings()
    {
        var said = await RefusedAsync(new RabbitMqOptions { Host = "127.0.0.1", Port = FreePorts.Find(1) });

        said.ShouldContain("Connection refused");
        said.ShouldContain("Dsde:RabbitMq:Host");
        said.ShouldNotContain('\n');
        said.Length.ShouldBeLessThan(400);
    }

    private static async Task<string> RefusedAsync(RabbitMqOptions options) =>
        (
            await Should.ThrowAsync<ExpectedFailureException>(() =>
                new QueueTopology(options, models: []).DeclareAsync(TestContext.Current.CancellationToken)
            )
        ).Message;

    private RabbitMqOptions Options(string virtualHost, string user = "guest") =>
        new()
        {
            Host = "127.0.0.1",
            Port = rabbitMq.Port,
            VirtualHost = virtualHost,
            Username = user,
            Password = user,
        };
}
