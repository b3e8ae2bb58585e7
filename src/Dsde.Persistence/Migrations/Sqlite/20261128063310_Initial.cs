using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Dsde.Persistence.Migrations.Sqlite
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
                    batch_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    job_count = table.Column<int>(type: "INTEGER", nullable: true),
                    source = table.Column<string>(type: "TEXT", nullable: true),
                    submitted_at = table.Column<string>(type: "TEXT", nullable: true),
                    completed_count = table.Column<int>(type: "INTEGER", nullable: false, defaultValue: 0),
                    failed_count = table.Column<int>(type: "INTEGER", nullable: false, defaultValue: 0),
                    cancelled_count = table.Column<int>(type: "INTEGER", nullable: false, defaultValue: 0),
                    cancel_requested_at = table.Column<string>(type: "TEXT", nullable: true),
                    completed_at = table.Column<string>(type: "TEXT", nullable: true),
                    announced_at = table.Column<string>(type: "TEXT", nullable: true),
                    reopenings = table.Column<int>(type: "INTEGER", nullable: false, defaultValue: 0)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_generation_batches", x => x.batch_id);
                });

            migrationBuilder.CreateTable(
                name: "generation_jobs",
                columns: table => new
                {
                    job_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    batch_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    custom_id = table.Column<string>(type: "TEXT", nullable: true),
                    model = table.Column<string>(type: "TEXT", nullable: true),
                    workload = table.Column<string>(type: "TEXT", nullable: true),
                    request = table.Column<string>(type: "TEXT", nullable: true),
                    request_hash = table.Column<byte[]>(type: "BLOB", nullable: true),
                    trace_parent = table.Column<string>(type: "TEXT", nullable: true),
                    state = table.Column<string>(type: "TEXT", nullable: false),
                    worker_id = table.Column<string>(type: "TEXT", nullable: true),
                    worker_start_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    lease_token = table.Column<Guid>(type: "TEXT", nullable: true),
                    lease_until = table.Column<string>(type: "TEXT", nullable: true),
                    attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    lost_starts = table.Column<int>(type: "INTEGER", nullable: false, defaultValue: 0),
                    lost_alone = table.Column<int>(type: "INTEGER", nullable: false, defaultValue: 0),
                    tokens_at_start = table.Column<int>(type: "INTEGER", nullable: false, defaultValue: 0),
                    is_started = table.Column<bool>(type: "INTEGER", nullable: false, defaultValue: false),
                    is_alone = table.Column<bool>(type: "INTEGER", nullable: false, defaultValue: false),
                    submitted_at = table.Column<string>(type: "TEXT", nullable: true),
                    created_at = table.Column<string>(type: "TEXT", nullable: false),
                    started_at = table.Column<string>(type: "TEXT", nullable: true),
                    ended_at = table.Column<string>(type: "TEXT", nullable: true),
                    cancel_requested_at = table.Column<string>(type: "TEXT", nullable: true),
                    text = table.Column<string>(type: "TEXT", nullable: true),
                    text_hash = table.Column<byte[]>(type: "BLOB", nullable: true),
                    finish_reason = table.Column<string>(type: "TEXT", nullable: true),
                    prompt_tokens = table.Column<int>(type: "INTEGER", nullable: true),
                    completion_tokens = table.Column<int>(type: "INTEGER", nullable: true),
                    token_ids = table.Column<string>(type: "TEXT", nullable: true),
                    prompt_token_ids = table.Column<string>(type: "TEXT", nullable: true),
                    token_log_probabilities = table.Column<string>(type: "TEXT", nullable: true),
                    top_token_ids = table.Column<string>(type: "TEXT", nullable: true),
                    top_log_probabilities = table.Column<string>(type: "TEXT", nullable: true),
                    token_bytes = table.Column<byte[]>(type: "BLOB", nullable: true),
                    failure_code = table.Column<string>(type: "TEXT", nullable: true),
                    failure_message = table.Column<string>(type: "TEXT", nullable: true),
                    failure_retryable = table.Column<bool>(type: "INTEGER", nullable: true),
                    cancel_reason = table.Column<string>(type: "TEXT", nullable: true),
                    reopenings = table.Column<int>(type: "INTEGER", nullable: false, defaultValue: 0)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_generation_jobs", x => x.job_id);
                });

            migrationBuilder.CreateTable(
                name: "job_traces",
                columns: table => new
                {
                    job_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    choice = table.Column<int>(type: "INTEGER", nullable: false),
                    stored_at = table.Column<string>(type: "TEXT", nullable: false),
                    iteration_length = table.Column<string>(type: "TEXT", nullable: true),
                    iteration_accepted = table.Column<string>(type: "TEXT", nullable: true),
                    iteration_wish = table.Column<string>(type: "TEXT", nullable: true),
                    iteration_allowed = table.Column<string>(type: "TEXT", nullable: true),
                    iteration_decided_by = table.Column<string>(type: "TEXT", nullable: true),
                    iteration_predicted_length = table.Column<string>(type: "TEXT", nullable: true),
                    iteration_scale_factor = table.Column<string>(type: "TEXT", nullable: true),
                    iteration_wvir = table.Column<string>(type: "TEXT", nullable: true),
                    iteration_cap = table.Column<string>(type: "TEXT", nullable: true),
                    iteration_batch_size = table.Column<string>(type: "TEXT", nullable: true),
                    iteration_batch_rows = table.Column<string>(type: "TEXT", nullable: true),
                    iteration_draft_ms = table.Column<string>(type: "TEXT", nullable: true),
                    iteration_verify_ms = table.Column<string>(type: "TEXT", nullable: true),
                    iteration_proposed_by = table.Column<string>(type: "TEXT", nullable: true),
                    iteration_forced = table.Column<string>(type: "TEXT", nullable: true),
                    proposal_kld = table.Column<string>(type: "TEXT", nullable: true),
                    proposal_beta = table.Column<string>(type: "TEXT", nullable: true),
                    proposal_draft_entropy = table.Column<string>(type: "TEXT", nullable: true),
                    proposal_on_path = table.Column<string>(type: "TEXT", nullable: true),
                    token_margin = table.Column<string>(type: "TEXT", nullable: true),
                    token_draft_match = table.Column<string>(type: "TEXT", nullable: true),
                    survey_length = table.Column<string>(type: "TEXT", nullable: true),
                    survey_accepted = table.Column<string>(type: "TEXT", nullable: true),
                    survey_kld = table.Column<string>(type: "TEXT", nullable: true),
                    survey_beta = table.Column<string>(type: "TEXT", nullable: true),
                    survey_draft_entropy = table.Column<string>(type: "TEXT", nullable: true),
                    batch_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    model = table.Column<string>(type: "TEXT", nullable: true),
                    state = table.Column<string>(type: "TEXT", nullable: false),
                    worker_id = table.Column<string>(type: "TEXT", nullable: false),
                    worker_start_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    workload = table.Column<string>(type: "TEXT", nullable: true),
                    level = table.Column<string>(type: "TEXT", nullable: false),
                    policy = table.Column<string>(type: "TEXT", nullable: false),
                    is_guarded = table.Column<bool>(type: "INTEGER", nullable: false),
                    proposer = table.Column<string>(type: "TEXT", nullable: false),
                    sampling_mode = table.Column<string>(type: "TEXT", nullable: false),
                    seed = table.Column<long>(type: "INTEGER", nullable: false),
                    temperature = table.Column<float>(type: "REAL", nullable: false),
                    top_p = table.Column<float>(type: "REAL", nullable: false),
                    top_k = table.Column<int>(type: "INTEGER", nullable: false),
                    target_model = table.Column<string>(type: "TEXT", nullable: false),
                    draft_model = table.Column<string>(type: "TEXT", nullable: true),
                    iterations = table.Column<int>(type: "INTEGER", nullable: false),
                    speculating_iterations = table.Column<int>(type: "INTEGER", nullable: false),
                    prompt_tokens = table.Column<int>(type: "INTEGER", nullable: false),
                    cached_prompt_tokens = table.Column<int>(type: "INTEGER", nullable: false),
                    completion_tokens = table.Column<int>(type: "INTEGER", nullable: false),
                    proposed = table.Column<int>(type: "INTEGER", nullable: false),
                    accepted = table.Column<int>(type: "INTEGER", nullable: false),
                    lookup_proposed = table.Column<int>(type: "INTEGER", nullable: false),
                    lookup_accepted = table.Column<int>(type: "INTEGER", nullable: false),
                    forced = table.Column<int>(type: "INTEGER", nullable: false),
                    mean_kld = table.Column<float>(type: "REAL", nullable: true),
                    max_kld = table.Column<float>(type: "REAL", nullable: true),
                    variance_kld = table.Column<float>(type: "REAL", nullable: true),
                    mean_beta = table.Column<float>(type: "REAL", nullable: true),
                    mean_draft_entropy = table.Column<float>(type: "REAL", nullable: true),
                    calibration_max_accepted = table.Column<int>(type: "INTEGER", nullable: true),
                    calibration_max_length = table.Column<int>(type: "INTEGER", nullable: true),
                    waiting_ms = table.Column<double>(type: "REAL", nullable: false),
                    prefill_ms = table.Column<double>(type: "REAL", nullable: false),
                    others_ms = table.Column<double>(type: "REAL", nullable: false),
                    draft_ms = table.Column<double>(type: "REAL", nullable: false),
                    verify_ms = table.Column<double>(type: "REAL", nullable: false),
                    sampling_ms = table.Column<double>(type: "REAL", nullable: false),
                    rest_ms = table.Column<double>(type: "REAL", nullable: false),
                    total_ms = table.Column<double>(type: "REAL", nullable: false),
                    first_token_ms = table.Column<double>(type: "REAL", nullable: true),
                    prefill_share_ms = table.Column<double>(type: "REAL", nullable: false),
                    draft_share_ms = table.Column<double>(type: "REAL", nullable: false),
                    verify_share_ms = table.Column<double>(type: "REAL", nullable: false),
                    sampling_share_ms = table.Column<double>(type: "REAL", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_job_traces", x => new { x.job_id, x.choice, x.stored_at });
                });

            migrationBuilder.CreateTable(
                name: "workers",
                columns: table => new
                {
                    worker_start_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    worker_id = table.Column<string>(type: "TEXT", nullable: false),
                    started_at = table.Column<string>(type: "TEXT", nullable: false),
                    seen_at = table.Column<string>(type: "TEXT", nullable: false),
                    ended_at = table.Column<string>(type: "TEXT", nullable: true),
                    ending = table.Column<string>(type: "TEXT", nullable: true),
                    host = table.Column<string>(type: "TEXT", nullable: false),
                    version = table.Column<string>(type: "TEXT", nullable: false),
                    models = table.Column<string>(type: "TEXT", nullable: false),
                    target_model = table.Column<string>(type: "TEXT", nullable: false),
                    draft_model = table.Column<string>(type: "TEXT", nullable: true),
                    policy = table.Column<string>(type: "TEXT", nullable: false),
                    device = table.Column<string>(type: "TEXT", nullable: false),
                    data_type = table.Column<string>(type: "TEXT", nullable: false),
                    threads = table.Column<int>(type: "INTEGER", nullable: false),
                    kernels = table.Column<string>(type: "TEXT", nullable: true),
                    batch_size = table.Column<int>(type: "INTEGER", nullable: false),
                    cost_profile = table.Column<string>(type: "TEXT", nullable: true),
                    presence_key = table.Column<long>(type: "INTEGER", nullable: true),
                    held_jobs = table.Column<int>(type: "INTEGER", nullable: false),
                    waiting_for_claim = table.Column<int>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_workers", x => x.worker_start_id);
                });

            migrationBuilder.CreateTable(
                name: "earlier_attempts",
                columns: table => new
                {
                    job_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    reopenings = table.Column<int>(type: "INTEGER", nullable: false),
                    attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    worker_id = table.Column<string>(type: "TEXT", nullable: true),
                    worker_start_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    started_at = table.Column<string>(type: "TEXT", nullable: true),
                    ended_at = table.Column<string>(type: "TEXT", nullable: true),
                    outcome = table.Column<string>(type: "TEXT", nullable: false),
                    tokens_at_start = table.Column<int>(type: "INTEGER", nullable: false),
                    is_started = table.Column<bool>(type: "INTEGER", nullable: true),
                    failure_code = table.Column<string>(type: "TEXT", nullable: true)
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
                    job_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    choice = table.Column<int>(type: "INTEGER", nullable: false),
                    token_count = table.Column<int>(type: "INTEGER", nullable: false),
                    state = table.Column<byte[]>(type: "BLOB", nullable: false),
                    stored_at = table.Column<string>(type: "TEXT", nullable: false)
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
                    job_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    choice = table.Column<int>(type: "INTEGER", nullable: false),
                    text = table.Column<string>(type: "TEXT", nullable: true),
                    text_hash = table.Column<byte[]>(type: "BLOB", nullable: true),
                    finish_reason = table.Column<string>(type: "TEXT", nullable: false),
                    prompt_index = table.Column<int>(type: "INTEGER", nullable: false),
                    prompt_tokens = table.Column<int>(type: "INTEGER", nullable: false),
                    completion_tokens = table.Column<int>(type: "INTEGER", nullable: false),
                    token_ids = table.Column<string>(type: "TEXT", nullable: true),
                    prompt_token_ids = table.Column<string>(type: "TEXT", nullable: true),
                    token_log_probabilities = table.Column<string>(type: "TEXT", nullable: true),
                    top_token_ids = table.Column<string>(type: "TEXT", nullable: true),
                    top_log_probabilities = table.Column<string>(type: "TEXT", nullable: true),
                    token_bytes = table.Column<byte[]>(type: "BLOB", nullable: true)
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
                name: "ix_generation_jobs_custom_id",
                table: "generation_jobs",
                column: "custom_id",
                filter: "custom_id IS NOT NULL");

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

            Migrating.HandwrittenSchema.CreateSqlite(migrationBuilder);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            Migrating.HandwrittenSchema.DropSqlite(migrationBuilder);

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
