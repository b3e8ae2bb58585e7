using System.Buffers;
using System.Text.Json;
using Dsde.Batches.Files.Writing;
using Dsde.Contracts;

namespace Dsde.Batches.Tests.Files;

public sealed class ErrorLineTests
{
    [Theory]
    [InlineData(FailureCodes.EngineError, 500, "server_error")]
    [InlineData(FailureCodes.WorkerLost, 500, "server_error")]
    [InlineData(FailureCodes.InternalError, 500, "server_error")]
    [InlineData(FailureCodes.InvalidRequest, 400, "invalid_request_error")]
    [InlineData(FailureCodes.JobIdConflict, 409, "invalid_request_error")]
    public void What_the_request_is_not_to_blame_for_is_an_error_of_the_server(string code, int status, string type)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            ErrorLine.WriteFailed(
                json,
                new LineOrigin(Guid.NewGuid(), 1, "a", []),
                new GenerationJobFailed
                {
                    JobId = Guid.NewGuid(),
                    Code = code,
                    Message = "why",
                    Retryable = false,
                    FailedAt = default,
                }
            );
        }

        using var line = JsonDocument.Parse(buffer.WrittenMemory);
        var response = line.RootElement.GetProperty("response");
        response.GetProperty("status_code").GetInt32().ShouldBe(status);
        response.GetProperty("body").GetProperty("error").GetProperty("type").GetString().ShouldBe(type);
    }

    [Theory]
    [InlineData(1, """{"code":"expired","message":"The job has expired after 9 tokens.","partial_text":"text 0"}""")]
    [InlineData(3, """{"code":"expired","message":"The job has expired after 9 tokens.","partial_texts":["text 0","text 1","text 2"]}""")]
    public void What_there_was_of_an_expired_jobs_outputs_is_kept(int outputs, string error)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var choices = Enumerable
            .Range(0, outputs)
            .Select(index => new GenerationChoice
            {
                Index = index,
                PromptIndex = index,
                Text = $"text {index}",
                FinishReason = "expired",
                CompletionTokens = 9 / outputs,
                Seed = index,
            })
            .ToList();
        using (var json = new Utf8JsonWriter(buffer))
        {
            ErrorLine.WriteCancelled(
                json,
                new LineOrigin(Guid.NewGuid(), 1, "a", []),
                new GenerationJobCancelled
                {
                    JobId = Guid.NewGuid(),
                    Reason = "expired",
                    Text = "text 0",
                    Usage = new GenerationUsage { PromptTokens = 1, CompletionTokens = 9 },
                    Choices = outputs == 1 ? null : choices,
                    CancelledAt = default,
                }
            );
        }

        using var line = JsonDocument.Parse(buffer.WrittenMemory);
        line.RootElement.GetProperty("error").GetRawText().ShouldBe(error);
    }
}
