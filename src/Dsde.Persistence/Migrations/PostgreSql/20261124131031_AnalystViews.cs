using Dsde.Persistence.Views;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Dsde.Persistence.Migrations.PostgreSql
{
    /// <inheritdoc />
    public partial class AnalystViews : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder) => ViewMigration.Create(migrationBuilder, PostgreSqlViews.OneOutput);

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) => ViewMigration.Drop(migrationBuilder, PostgreSqlViews.OneOutput);
    }
}
