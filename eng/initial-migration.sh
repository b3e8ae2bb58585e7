#!/usr/bin/env bash
# Makes the one migration of each database anew from the model, with views, partitions and comments, and puts the dictionary of
# src/Dsde.Persistence/Describing into docs/telemetry.md. For as long as nothing has been released; after that a change of the model is a
# further migration (docs/architecture.md).
set -euo pipefail
cd "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.."

document=docs/telemetry.md
sed -i '/^<!-- dictionary -->$/q' "$document"
{ echo; cat src/Dsde.Persistence/Describing/dictionary.md; } >>"$document"

cd src/Dsde.Persistence
dotnet tool restore -v quiet
for database in PostgreSql Sqlite; do
  rm -rf "Migrations/$database"
done
dotnet build --nologo -v quiet
for database in PostgreSql Sqlite; do
  dotnet ef migrations add Initial --no-build --context "${database/PostgreSql/Postgres}DbContext" --output-dir "Migrations/$database"
  # What EF Core doesn't know of: after the tables at the way up and before them at the way down.
  sed -i -e '/protected override void Down/,$!b' -e '0,/^        {$/s//&\n            Migrating.HandwrittenSchema.Drop'"$database"'(migrationBuilder);\n/' Migrations/"$database"/*_Initial.cs
  awk -v create="            Migrating.HandwrittenSchema.Create${database}(migrationBuilder);" '
    /protected override void Down/ { down = 1 }
    !down && /^        }$/ { print ""; print create }
    { print }' Migrations/"$database"/*_Initial.cs >Migrations/initial.tmp
  mv Migrations/initial.tmp Migrations/"$database"/*_Initial.cs
done
