using System;
using Dsde.Persistence.Views;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Dsde.Persistence.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class SeveralOutputs : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            ViewMigration.Drop(migrationBuilder, SqliteViews.OneOutput); // they stand in the way of changing what they read

            migrationBuilder.DropPrimaryKey(
                name: "pk_job_traces",
                table: "job_traces");

            migrationBuilder.AddColumn<int>(
                name: "choice",
                table: "job_traces",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<string>(
                name: "top_log_probabilities",
                table: "generation_jobs",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "top_token_ids",
                table: "generation_jobs",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddPrimaryKey(
                name: "pk_job_traces",
                table: "job_traces",
                columns: new[] { "job_id", "choice" });

            migrationBuilder.CreateTable(
                name: "job_choices",
                columns: table => new
                {
                    job_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    choice = table.Column<int>(type: "INTEGER", nullable: false),
                    text = table.Column<string>(type: "TEXT", nullable: false),
                    finish_reason = table.Column<string>(type: "TEXT", nullable: false),
                    completion_tokens = table.Column<int>(type: "INTEGER", nullable: false),
                    token_ids = table.Column<string>(type: "TEXT", nullable: true),
                    token_log_probabilities = table.Column<string>(type: "TEXT", nullable: true),
                    top_token_ids = table.Column<string>(type: "TEXT", nullable: true),
                    top_log_probabilities = table.Column<string>(type: "TEXT", nullable: true)
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
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            // The views are not put back: tables are rebuilt behind everything else a migration does, and views would stand in the way.
            migrationBuilder.DropTable(
                name: "job_choices");

            migrationBuilder.DropPrimaryKey(
                name: "pk_job_traces",
                table: "job_traces");

            migrationBuilder.DropColumn(
                name: "choice",
                table: "job_traces");

            migrationBuilder.DropColumn(
                name: "top_log_probabilities",
                table: "generation_jobs");

            migrationBuilder.DropColumn(
                name: "top_token_ids",
                table: "generation_jobs");

            migrationBuilder.AddPrimaryKey(
                name: "pk_job_traces",
                table: "job_traces",
                column: "job_id");
        }
    }
}
