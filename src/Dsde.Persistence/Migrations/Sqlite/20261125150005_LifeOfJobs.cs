using System;
using Dsde.Persistence.Views;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Dsde.Persistence.Migrations.Sqlite
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
                type: "TEXT",
                nullable: true,
                oldClrType: typeof(string),
                oldType: "TEXT");

            migrationBuilder.AddColumn<byte[]>(
                name: "text_hash",
                table: "job_choices",
                type: "BLOB",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "cancel_requested_at",
                table: "generation_jobs",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "is_alone",
                table: "generation_jobs",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<int>(
                name: "lost_starts",
                table: "generation_jobs",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<byte[]>(
                name: "text_hash",
                table: "generation_jobs",
                type: "BLOB",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "tokens_at_start",
                table: "generation_jobs",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<string>(
                name: "trace_parent",
                table: "generation_jobs",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AlterColumn<string>(
                name: "submitted_at",
                table: "generation_batches",
                type: "TEXT",
                nullable: true,
                oldClrType: typeof(string),
                oldType: "TEXT");

            migrationBuilder.AlterColumn<int>(
                name: "job_count",
                table: "generation_batches",
                type: "INTEGER",
                nullable: true,
                oldClrType: typeof(int),
                oldType: "INTEGER");

            migrationBuilder.AddColumn<string>(
                name: "cancel_requested_at",
                table: "generation_batches",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "cancelled_count",
                table: "generation_batches",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<string>(
                name: "completed_at",
                table: "generation_batches",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "completed_count",
                table: "generation_batches",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<int>(
                name: "failed_count",
                table: "generation_batches",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0);

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
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            // They stand in the way of dropping columns, and can't be put back: tables are rebuilt behind everything else a migration does.
            ViewMigration.Drop(migrationBuilder, SqliteViews.All);

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
                type: "TEXT",
                nullable: false,
                oldClrType: typeof(string),
                oldType: "TEXT",
                oldNullable: true);

            migrationBuilder.AlterColumn<string>(
                name: "submitted_at",
                table: "generation_batches",
                type: "TEXT",
                nullable: false,
                oldClrType: typeof(string),
                oldType: "TEXT",
                oldNullable: true);

            migrationBuilder.AlterColumn<int>(
                name: "job_count",
                table: "generation_batches",
                type: "INTEGER",
                nullable: false,
                oldClrType: typeof(int),
                oldType: "INTEGER",
                oldNullable: true);

            migrationBuilder.CreateIndex(
                name: "ix_generation_jobs_worker_id",
                table: "generation_jobs",
                column: "worker_id",
                filter: "state = 'running'");
        }
    }
}
