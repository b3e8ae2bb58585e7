using Dsde.Persistence.Migrating;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Dsde.Persistence.Migrations.PostgreSql
{
    /// <inheritdoc />
    public partial class CountedBatches : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder) => BatchCounts.Fill(migrationBuilder);

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) => BatchCounts.Forget(migrationBuilder);
    }
}
