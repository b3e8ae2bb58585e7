using Dsde.Persistence.Views;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Dsde.Persistence.Migrations.PostgreSql
{
    /// <inheritdoc />
    public partial class ViewsOfOutputs : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder) => ViewMigration.Create(migrationBuilder, PostgreSqlViews.All);

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) => ViewMigration.Drop(migrationBuilder, PostgreSqlViews.All);
    }
}
