#!/usr/bin/env bash
# Runs one private server for a test run: private-server.sh postgresql|rabbitmq FOLDER PORT
# Prints "ready", then obeys lines on its input: "stop", "start", "kill" (SIGKILL to all its processes at once, as a power cut would), and for
# RabbitMQ "eval EXPRESSION" (of Erlang; answers its value). When its input ends - also because the test process was killed - the server stops and the
# folder goes.
set -euo pipefail
# shellcheck source=eng/servers.sh
source "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/servers.sh"

kind=$1 folder=$2 port=$3
export POSTGRESQL_FSYNC=off
# shellcheck disable=SC2034 # for servers.sh
folder_remedy="Tests make it in the temporary folder: set TMPDIR to one that this user may write and PostgreSQL's may enter, for example /var/tmp."

start() { if [[ $kind == postgresql ]]; then start_postgresql "$folder" "$port"; else start_rabbitmq "$folder" "$port"; fi; }
stop() { if [[ $kind == postgresql ]]; then stop_postgresql "$folder"; else stop_rabbitmq "$folder" "$port"; fi; }
kill_hard() { if [[ $kind == postgresql ]]; then kill_postgresql "$folder"; else kill_rabbitmq "$folder"; fi; }
clean() { stop || true; cd /; rm -rf -- "$folder"; }

trap clean EXIT
trap 'exit 0' TERM
trap '' INT HUP # a Ctrl-C for the tests must not take the servers before their clients
start
echo ready
while read -r line; do
  case $line in
    stop) stop; echo stopped ;;
    start) start; echo ready ;;
    kill) kill_hard; echo killed ;;
    "eval "*) rabbitmq_eval "$folder" "$port" "${line#eval }" 2>>"$folder/eval.log" | tr '\n' ' ' || true; echo ;;
  esac
done
