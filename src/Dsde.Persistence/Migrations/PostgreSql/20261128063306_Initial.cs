using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Dsde.Persistence.Migrations.PostgreSql
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "generation_batches",
                columns: table => new
                {
                    batch_id = table.Column<Guid>(type: "uuid", nullable: false),
                    job_count = table.Column<int>(type: "integer", nullable: true),
                    source = table.Column<string>(type: "text", nullable: true),
                    submitted_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    completed_count = table.Column<int>(type: "integer", nullable: false, defaultValue: 0),
                    failed_count = table.Column<int>(type: "integer", nullable: false, defaultValue: 0),
                    cancelled_count = table.Column<int>(type: "integer", nullable: false, defaultValue: 0),
                    cancel_requested_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    completed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    announced_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    reopenings = table.Column<int>(type: "integer", nullable: false, defaultValue: 0)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_generation_batches", x => x.batch_id);
                });

            migrationBuilder.CreateTable(
                name: "generation_jobs",
                columns: table => new
                {
                    job_id = table.Column<Guid>(type: "uuid", nullable: false),
                    batch_id = table.Column<Guid>(type: "uuid", nullable: true),
                    custom_id = table.Column<string>(type: "text", nullable: true),
                    model = table.Column<string>(type: "text", nullable: true),
                    workload = table.Column<string>(type: "text", nullable: true),
                    request = table.Column<string>(type: "json", nullable: true),
                    request_hash = table.Column<byte[]>(type: "bytea", nullable: true),
                    trace_parent = table.Column<string>(type: "text", nullable: true),
                    state = table.Column<string>(type: "text", nullable: false),
                    worker_id = table.Column<string>(type: "text", nullable: true),
                    worker_start_id = table.Column<Guid>(type: "uuid", nullable: true),
                    lease_token = table.Column<Guid>(type: "uuid", nullable: true),
                    lease_until = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    lost_starts = table.Column<int>(type: "integer", nullable: false, defaultValue: 0),
                    lost_alone = table.Column<int>(type: "integer", nullable: false, defaultValue: 0),
                    tokens_at_start = table.Column<int>(type: "integer", nullable: false, defaultValue: 0),
                    is_started = table.Column<bool>(type: "boolean", nullable: false, defaultValue: false),
                    is_alone = table.Column<bool>(type: "boolean", nullable: false, defaultValue: false),
                    submitted_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    started_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    ended_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    cancel_requested_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    text = table.Column<string>(type: "text", nullable: true),
                    text_hash = table.Column<byte[]>(type: "bytea", nullable: true),
                    finish_reason = table.Column<string>(type: "text", nullable: true),
                    prompt_tokens = table.Column<int>(type: "integer", nullable: true),
                    completion_tokens = table.Column<int>(type: "integer", nullable: true),
                    token_ids = table.Column<int[]>(type: "integer[]", nullable: true),
                    prompt_token_ids = table.Column<int[]>(type: "integer[]", nullable: true),
                    token_log_probabilities = table.Column<float[]>(type: "real[]", nullable: true),
                    top_token_ids = table.Column<int[]>(type: "integer[]", nullable: true),
                    top_log_probabilities = table.Column<float[]>(type: "real[]", nullable: true),
                    token_bytes = table.Column<byte[]>(type: "bytea", nullable: true),
                    failure_code = table.Column<string>(type: "text", nullable: true),
                    failure_message = table.Column<string>(type: "text", nullable: true),
                    failure_retryable = table.Column<bool>(type: "boolean", nullable: true),
                    cancel_reason = table.Column<string>(type: "text", nullable: true),
                    reopenings = table.Column<int>(type: "integer", nullable: false, defaultValue: 0)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_generation_jobs", x => x.job_id);
                });

            migrationBuilder.CreateTable(
                name: "job_traces",
                columns: table => new
                {
                    job_id = table.Column<Guid>(type: "uuid", nullable: false),
                    choice = table.Column<int>(type: "integer", nullable: false),
                    stored_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    iteration_length = table.Column<int[]>(type: "integer[]", nullable: true),
                    iteration_accepted = table.Column<int[]>(type: "integer[]", nullable: true),
                    iteration_wish = table.Column<int[]>(type: "integer[]", nullable: true),
                    iteration_allowed = table.Column<int[]>(type: "integer[]", nullable: true),
                    iteration_decided_by = table.Column<short[]>(type: "smallint[]", nullable: true),
                    iteration_predicted_length = table.Column<float?[]>(type: "real[]", nullable: true),
                    iteration_scale_factor = table.Column<float?[]>(type: "real[]", nullable: true),
                    iteration_wvir = table.Column<float?[]>(type: "real[]", nullable: true),
                    iteration_cap = table.Column<float?[]>(type: "real[]", nullable: true),
                    iteration_batch_size = table.Column<int[]>(type: "integer[]", nullable: true),
                    iteration_batch_rows = table.Column<int[]>(type: "integer[]", nullable: true),
                    iteration_draft_ms = table.Column<float[]>(type: "real[]", nullable: true),
                    iteration_verify_ms = table.Column<float[]>(type: "real[]", nullable: true),
                    iteration_proposed_by = table.Column<short[]>(type: "smallint[]", nullable: true),
                    iteration_forced = table.Column<int[]>(type: "integer[]", nullable: true),
                    proposal_kld = table.Column<float?[]>(type: "real[]", nullable: true),
                    proposal_beta = table.Column<float?[]>(type: "real[]", nullable: true),
                    proposal_draft_entropy = table.Column<float?[]>(type: "real[]", nullable: true),
                    proposal_on_path = table.Column<bool[]>(type: "boolean[]", nullable: true),
                    token_margin = table.Column<float[]>(type: "real[]", nullable: true),
                    token_draft_match = table.Column<short[]>(type: "smallint[]", nullable: true),
                    survey_length = table.Column<int[]>(type: "integer[]", nullable: true),
                    survey_accepted = table.Column<int[]>(type: "integer[]", nullable: true),
                    survey_kld = table.Column<float[]>(type: "real[]", nullable: true),
                    survey_beta = table.Column<float[]>(type: "real[]", nullable: true),
                    survey_draft_entropy = table.Column<float[]>(type: "real[]", nullable: true),
                    batch_id = table.Column<Guid>(type: "uuid", nullable: true),
                    model = table.Column<string>(type: "text", nullable: true),
                    state = table.Column<string>(type: "text", nullable: false),
                    worker_id = table.Column<string>(type: "text", nullable: false),
                    worker_start_id = table.Column<Guid>(type: "uuid", nullable: true),
                    workload = table.Column<string>(type: "text", nullable: true),
                    level = table.Column<string>(type: "text", nullable: false),
                    policy = table.Column<string>(type: "text", nullable: false),
                    is_guarded = table.Column<bool>(type: "boolean", nullable: false),
                    proposer = table.Column<string>(type: "text", nullable: false),
                    sampling_mode = table.Column<string>(type: "text", nullable: false),
                    seed = table.Column<long>(type: "bigint", nullable: false),
                    temperature = table.Column<float>(type: "real", nullable: false),
                    top_p = table.Column<float>(type: "real", nullable: false),
                    top_k = table.Column<int>(type: "integer", nullable: false),
                    target_model = table.Column<string>(type: "text", nullable: false),
                    draft_model = table.Column<string>(type: "text", nullable: true),
                    iterations = table.Column<int>(type: "integer", nullable: false),
                    speculating_iterations = table.Column<int>(type: "integer", nullable: false),
                    prompt_tokens = table.Column<int>(type: "integer", nullable: false),
                    cached_prompt_tokens = table.Column<int>(type: "integer", nullable: false),
                    completion_tokens = table.Column<int>(type: "integer", nullable: false),
                    proposed = table.Column<int>(type: "integer", nullable: false),
                    accepted = table.Column<int>(type: "integer", nullable: false),
                    lookup_proposed = table.Column<int>(type: "integer", nullable: false),
                    lookup_accepted = table.Column<int>(type: "integer", nullable: false),
                    forced = table.Column<int>(type: "integer", nullable: false),
                    mean_kld = table.Column<float>(type: "real", nullable: true),
                    max_kld = table.Column<float>(type: "real", nullable: true),
                    variance_kld = table.Column<float>(type: "real", nullable: true),
                    mean_beta = table.Column<float>(type: "real", nullable: true),
                    mean_draft_entropy = table.Column<float>(type: "real", nullable: true),
                    calibration_max_accepted = table.Column<int>(type: "integer", nullable: true),
                    calibration_max_length = table.Column<int>(type: "integer", nullable: true),
                    waiting_ms = table.Column<double>(type: "double precision", nullable: false),
                    prefill_ms = table.Column<double>(type: "double precision", nullable: false),
                    others_ms = table.Column<double>(type: "double precision", nullable: false),
                    draft_ms = table.Column<double>(type: "double precision", nullable: false),
                    verify_ms = table.Column<double>(type: "double precision", nullable: false),
                    sampling_ms = table.Column<double>(type: "double precision", nullable: false),
                    rest_ms = table.Column<double>(type: "double precision", nullable: false),
                    total_ms = table.Column<double>(type: "double precision", nullable: false),
                    first_token_ms = table.Column<double>(type: "double precision", nullable: true),
                    prefill_share_ms = table.Column<double>(type: "double precision", nullable: false),
                    draft_share_ms = table.Column<double>(type: "double precision", nullable: false),
                    verify_share_ms = table.Column<double>(type: "double precision", nullable: false),
                    sampling_share_ms = table.Column<double>(type: "double precision", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_job_traces", x => new { x.job_id, x.choice, x.stored_at });
                });

            migrationBuilder.CreateTable(
                name: "workers",
                columns: table => new
                {
                    worker_start_id = table.Column<Guid>(type: "uuid", nullable: false),
                    worker_id = table.Column<string>(type: "text", nullable: false),
                    started_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    seen_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    ended_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    ending = table.Column<string>(type: "text", nullable: true),
                    host = table.Column<string>(type: "text", nullable: false),
                    version = table.Column<string>(type: "text", nullable: false),
                    models = table.Column<string[]>(type: "text[]", nullable: false),
                    target_model = table.Column<string>(type: "text", nullable: false),
                    draft_model = table.Column<string>(type: "text", nullable: true),
                    policy = table.Column<string>(type: "text", nullable: false),
                    device = table.Column<string>(type: "text", nullable: false),
                    data_type = table.Column<string>(type: "text", nullable: false),
                    threads = table.Column<int>(type: "integer", nullable: false),
                    kernels = table.Column<string>(type: "text", nullable: true),
                    batch_size = table.Column<int>(type: "integer", nullable: false),
                    cost_profile = table.Column<string>(type: "jsonb", nullable: true),
                    presence_key = table.Column<long>(type: "bigint", nullable: true),
                    held_jobs = table.Column<int>(type: "integer", nullable: false),
                    waiting_for_claim = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_workers", x => x.worker_start_id);
                });

            migrationBuilder.CreateTable(
                name: "earlier_attempts",
                columns: table => new
                {
                    job_id = table.Column<Guid>(type: "uuid", nullable: false),
                    reopenings = table.Column<int>(type: "integer", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    worker_id = table.Column<string>(type: "text", nullable: true),
                    worker_start_id = table.Column<Guid>(type: "uuid", nullable: true),
                    started_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    ended_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    outcome = table.Column<string>(type: "text", nullable: false),
                    tokens_at_start = table.Column<int>(type: "integer", nullable: false),
                    is_started = table.Column<bool>(type: "boolean", nullable: true),
                    failure_code = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_earlier_attempts", x => new { x.job_id, x.reopenings, x.attempt });
                    table.ForeignKey(
                        name: "fk_earlier_attempts_generation_jobs_job_id",
                        column: x => x.job_id,
                        principalTable: "generation_jobs",
                        principalColumn: "job_id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "job_checkpoints",
                columns: table => new
                {
                    job_id = table.Column<Guid>(type: "uuid", nullable: false),
                    choice = table.Column<int>(type: "integer", nullable: false),
                    token_count = table.Column<int>(type: "integer", nullable: false),
                    state = table.Column<byte[]>(type: "bytea", nullable: false),
                    stored_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_job_checkpoints", x => new { x.job_id, x.choice });
                    table.ForeignKey(
                        name: "fk_job_checkpoints_generation_jobs_job_id",
                        column: x => x.job_id,
                        principalTable: "generation_jobs",
                        principalColumn: "job_id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "job_choices",
                columns: table => new
                {
                    job_id = table.Column<Guid>(type: "uuid", nullable: false),
                    choice = table.Column<int>(type: "integer", nullable: false),
                    text = table.Column<string>(type: "text", nullable: true),
                    text_hash = table.Column<byte[]>(type: "bytea", nullable: true),
                    finish_reason = table.Column<string>(type: "text", nullable: false),
                    prompt_index = table.Column<int>(type: "integer", nullable: false),
                    prompt_tokens = table.Column<int>(type: "integer", nullable: false),
                    completion_tokens = table.Column<int>(type: "integer", nullable: false),
                    token_ids = table.Column<int[]>(type: "integer[]", nullable: true),
                    prompt_token_ids = table.Column<int[]>(type: "integer[]", nullable: true),
                    token_log_probabilities = table.Column<float[]>(type: "real[]", nullable: true),
                    top_token_ids = table.Column<int[]>(type: "integer[]", nullable: true),
                    top_log_probabilities = table.Column<float[]>(type: "real[]", nullable: true),
                    token_bytes = table.Column<byte[]>(type: "bytea", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_job_choices", x => new { x.job_id, x.choice });
                    table.ForeignKey(
                        name: "fk_job_choices_generation_jobs_job_id",
                        column: x => x.job_id,
                        principalTable: "generation_jobs",
                        principalColumn: "job_id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_earlier_attempts_worker_start_id",
                table: "earlier_attempts",
                column: "worker_start_id");

            migrationBuilder.CreateIndex(
                name: "ix_generation_jobs_batch_id_created_at",
                table: "generation_jobs",
                columns: new[] { "batch_id", "created_at" },
                filter: "batch_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_generation_jobs_batch_id_state",
                table: "generation_jobs",
                columns: new[] { "batch_id", "state" });

            migrationBuilder.CreateIndex(
                name: "ix_generation_jobs_created_at",
                table: "generation_jobs",
                column: "created_at")
                .Annotation("Npgsql:IndexMethod", "brin");

            migrationBuilder.CreateIndex(
                name: "ix_generation_jobs_custom_id",
                table: "generation_jobs",
                column: "custom_id",
                filter: "custom_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_generation_jobs_ended_at_job_id",
                table: "generation_jobs",
                columns: new[] { "ended_at", "job_id" });

            migrationBuilder.CreateIndex(
                name: "ix_generation_jobs_with_texts",
                table: "generation_jobs",
                column: "ended_at",
                filter: "ended_at IS NOT NULL AND (text IS NOT NULL OR request IS NOT NULL)");

            migrationBuilder.CreateIndex(
                name: "ix_generation_jobs_worker_id",
                table: "generation_jobs",
                column: "worker_id",
                filter: "state = 'running'");

            migrationBuilder.CreateIndex(
                name: "ix_job_traces_batch_id",
                table: "job_traces",
                column: "batch_id",
                filter: "batch_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_job_traces_stored_at",
                table: "job_traces",
                column: "stored_at");

            migrationBuilder.CreateIndex(
                name: "ix_job_traces_stored_at_job_id_choice",
                table: "job_traces",
                columns: new[] { "stored_at", "job_id", "choice" });

            migrationBuilder.CreateIndex(
                name: "ix_job_traces_worker_start_id_stored_at",
                table: "job_traces",
                columns: new[] { "worker_start_id", "stored_at" });

            migrationBuilder.CreateIndex(
                name: "ix_job_traces_workload_stored_at",
                table: "job_traces",
                columns: new[] { "workload", "stored_at" });

            migrationBuilder.CreateIndex(
                name: "ix_workers_worker_id",
                table: "workers",
                column: "worker_id");

            migrationBuilder.CreateIndex(
                name: "ix_workers_worker_start_id",
                table: "workers",
                column: "worker_start_id",
                filter: "ended_at IS NULL");

            Migrating.HandwrittenSchema.CreatePostgreSql(migrationBuilder);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            Migrating.HandwrittenSchema.DropPostgreSql(migrationBuilder);

            migrationBuilder.DropTable(
                name: "earlier_attempts");

            migrationBuilder.DropTable(
                name: "generation_batches");

            migrationBuilder.DropTable(
                name: "job_checkpoints");

            migrationBuilder.DropTable(
                name: "job_choices");

            migrationBuilder.DropTable(
                name: "job_traces");

            migrationBuilder.DropTable(
                name: "workers");

            migrationBuilder.DropTable(
                name: "generation_jobs");
        }
    }
}
