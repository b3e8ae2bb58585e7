using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Dsde.Persistence.Migrations.PostgreSql
{
    /// <inheritdoc />
    public partial class LifeOfJobs : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_generation_jobs_worker_id",
                table: "generation_jobs");

            migrationBuilder.AlterColumn<string>(
                name: "text",
                table: "job_choices",
                type: "text",
                nullable: true,
                oldClrType: typeof(string),
                oldType: "text");

            migrationBuilder.AddColumn<byte[]>(
                name: "text_hash",
                table: "job_choices",
                type: "bytea",
                nullable: true);

            migrationBuilder.AlterColumn<string>(
                name: "request",
                table: "generation_jobs",
                type: "json",
                nullable: true,
                oldClrType: typeof(string),
                oldType: "jsonb",
                oldNullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "cancel_requested_at",
                table: "generation_jobs",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "is_alone",
                table: "generation_jobs",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<int>(
                name: "lost_starts",
                table: "generation_jobs",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<byte[]>(
                name: "text_hash",
                table: "generation_jobs",
                type: "bytea",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "tokens_at_start",
                table: "generation_jobs",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<string>(
                name: "trace_parent",
                table: "generation_jobs",
                type: "text",
                nullable: true);

            migrationBuilder.AlterColumn<DateTimeOffset>(
                name: "submitted_at",
                table: "generation_batches",
                type: "timestamp with time zone",
                nullable: true,
                oldClrType: typeof(DateTimeOffset),
                oldType: "timestamp with time zone");

            migrationBuilder.AlterColumn<int>(
                name: "job_count",
                table: "generation_batches",
                type: "integer",
                nullable: true,
                oldClrType: typeof(int),
                oldType: "integer");

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "cancel_requested_at",
                table: "generation_batches",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "cancelled_count",
                table: "generation_batches",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "completed_at",
                table: "generation_batches",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "completed_count",
                table: "generation_batches",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<int>(
                name: "failed_count",
                table: "generation_batches",
                type: "integer",
                nullable: false,
                defaultValue: 0);

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
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "job_checkpoints");

            migrationBuilder.DropColumn(
                name: "text_hash",
                table: "job_choices");

            migrationBuilder.DropColumn(
                name: "cancel_requested_at",
                table: "generation_jobs");

            migrationBuilder.DropColumn(
                name: "is_alone",
                table: "generation_jobs");

            migrationBuilder.DropColumn(
                name: "lost_starts",
                table: "generation_jobs");

            migrationBuilder.DropColumn(
                name: "text_hash",
                table: "generation_jobs");

            migrationBuilder.DropColumn(
                name: "tokens_at_start",
                table: "generation_jobs");

            migrationBuilder.DropColumn(
                name: "trace_parent",
                table: "generation_jobs");

            migrationBuilder.DropColumn(
                name: "cancel_requested_at",
                table: "generation_batches");

            migrationBuilder.DropColumn(
                name: "cancelled_count",
                table: "generation_batches");

            migrationBuilder.DropColumn(
                name: "completed_at",
                table: "generation_batches");

            migrationBuilder.DropColumn(
                name: "completed_count",
                table: "generation_batches");

            migrationBuilder.DropColumn(
                name: "failed_count",
                table: "generation_batches");

            migrationBuilder.AlterColumn<string>(
                name: "text",
                table: "job_choices",
                type: "text",
                nullable: false,
                oldClrType: typeof(string),
                oldType: "text",
                oldNullable: true);

            migrationBuilder.AlterColumn<string>(
                name: "request",
                table: "generation_jobs",
                type: "jsonb",
                nullable: true,
                oldClrType: typeof(string),
                oldType: "json",
                oldNullable: true);

            migrationBuilder.AlterColumn<DateTimeOffset>(
                name: "submitted_at",
                table: "generation_batches",
                type: "timestamp with time zone",
                nullable: false,
                oldClrType: typeof(DateTimeOffset),
                oldType: "timestamp with time zone",
                oldNullable: true);

            migrationBuilder.AlterColumn<int>(
                name: "job_count",
                table: "generation_batches",
                type: "integer",
                nullable: false,
                oldClrType: typeof(int),
                oldType: "integer",
                oldNullable: true);

            migrationBuilder.CreateIndex(
                name: "ix_generation_jobs_worker_id",
                table: "generation_jobs",
                column: "worker_id",
                filter: "state = 'running'");
        }
    }
}
