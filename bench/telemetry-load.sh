#!/usr/bin/env bash
# Fills a PostgreSQL with as many ended jobs and traces as one likes, to see how views and reports do at that size.
set -euo pipefail

usage() {
  cat <<'END'
usage: bench/telemetry-load.sh [--jobs N] [--days N]
Copies the completed jobs that the database has, traces with all their series included, until N more are there (default 1000000), spread over the
last days (default 60) and put into batches of 10,000. Let the jobs that are copied be real ones: run a few hundred on a worker first.
The database is where psql finds it: PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE. Begun again, it goes on where it was.
END
}

jobs=1000000 days=60 step=10000
while (($# > 0)); do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --jobs) jobs=${2:?--jobs needs a number}; shift 2 ;;
    --days) days=${2:?--days needs a number}; shift 2 ;;
    *) usage >&2; exit 2 ;;
  esac
done
for number in "$jobs" "$days"; do
  [[ $number =~ ^[1-9][0-9]{0,8}$ ]] || { printf 'telemetry-load: %s is no number of jobs or days\n' "$number" >&2; exit 2; }
done

query() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }

# All columns of a table, those that make a copy another job with other expressions.
columns() { # TABLE COLUMN=EXPRESSION...
  local table=$1 one expression cases=
  shift
  for one in "$@"; do
    expression=${one#*=}
    cases+=" WHEN '${one%%=*}' THEN '${expression//\'/\'\'}'"
  done
  query -c "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum),
      string_agg(CASE attname::text $cases ELSE 't.' || quote_ident(attname) END, ', ' ORDER BY attnum)
      FROM pg_attribute WHERE attrelid = '$table'::regclass AND attnum > 0 AND NOT attisdropped"
}

query <<'END'
CREATE TABLE IF NOT EXISTS load_jobs AS
  SELECT *, row_number() OVER (ORDER BY job_id) - 1 AS number FROM generation_jobs j
  WHERE state = 'completed' AND coalesce(custom_id, '') NOT LIKE 'load-%' AND 1 = (SELECT count(*) FROM job_traces t WHERE t.job_id = j.job_id AND t.choice = 0);
CREATE TABLE IF NOT EXISTS load_traces AS
  SELECT t.*, j.number FROM job_traces t JOIN load_jobs j USING (job_id) WHERE t.choice = 0;
END
copied=$(query -c 'SELECT count(*) FROM load_jobs')
((copied > 0)) || { echo 'telemetry-load: there is no completed job to copy; run some on a worker first' >&2; exit 1; }
query -c "SELECT ensure_trace_partitions(day, 0) FROM generate_series(now() - interval '$days days', now(), interval '1 day') AS day" >/dev/null

id="md5('load ' || i)::uuid" batch="md5('load ' || i / $step || ' batch')::uuid" ended="now() - ($jobs - i) * interval '$days days' / $jobs"
IFS='|' read -r job_columns job_values < <(columns generation_jobs "job_id=$id" "batch_id=$batch" "custom_id='load-' || i" \
  "submitted_at=$ended - (t.ended_at - t.submitted_at)" "created_at=$ended - (t.ended_at - t.created_at)" \
  "started_at=$ended - (t.ended_at - t.started_at)" "ended_at=$ended")
IFS='|' read -r trace_columns trace_values < <(columns job_traces "job_id=$id" "batch_id=$batch" "stored_at=$ended")

start=$(query -c "SELECT count(*) FROM generation_jobs WHERE custom_id LIKE 'load-%'")
for ((from = start; from < jobs; from += step)); do
  to=$((from + step < jobs ? from + step : jobs))
  query <<END
BEGIN;
SET LOCAL synchronous_commit = off;
INSERT INTO generation_batches (batch_id, job_count, source, submitted_at, completed_count, completed_at)
  SELECT md5('load ' || $from / $step || ' batch')::uuid, $((to - from)), 'load', now(), $((to - from)), now() ON CONFLICT DO NOTHING;
INSERT INTO generation_jobs ($job_columns)
  SELECT $job_values FROM generate_series($from, $to - 1) AS i JOIN load_jobs t ON t.number = i % $copied;
INSERT INTO job_traces ($trace_columns)
  SELECT $trace_values FROM generate_series($from, $to - 1) AS i JOIN load_traces t ON t.number = i % $copied;
COMMIT;
END
  printf '%d of %d jobs\n' "$to" "$jobs"
done
query -c 'DROP TABLE load_jobs, load_traces' -c 'VACUUM ANALYZE'
