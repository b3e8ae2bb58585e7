using Dsde.Persistence.Views;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Dsde.Persistence.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class AnalystViews : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder) => ViewMigration.Create(migrationBuilder, SqliteViews.OneOutput);

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) => ViewMigration.Drop(migrationBuilder, SqliteViews.OneOutput);
    }
}
