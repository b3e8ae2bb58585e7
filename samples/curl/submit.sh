#!/usr/bin/env bash
# Submits a job and waits for its end with nothing but curl, by RabbitMQ's management API: submit.sh PROMPT. Prints the event. For trying things out: the API
# is no way for many messages.
#
#   RABBITMQ_API    default http://guest:guest@localhost:15672/api
#   RABBITMQ_VHOST  default %2F, as it is written in addresses
#   DSDE_MODEL      default dsde-demo
set -euo pipefail

[[ $# -eq 1 ]] || { echo "usage: submit.sh PROMPT" >&2; exit 2; }
api=${RABBITMQ_API:-http://guest:guest@localhost:15672/api}
vhost=${RABBITMQ_VHOST:-%2F}
model=${DSDE_MODEL:-dsde-demo}
job=$(cat /proc/sys/kernel/random/uuid)
inbox=curl-$job

ask() { # METHOD PATH [BODY]: what the API answers, or why it does not
  local answer
  if ! answer=$(curl --silent --show-error --fail-with-body --header 'content-type: application/json' --request "$1" "$api/$2" ${3+--data "$3"}); then
    printf 'submit.sh: %s %s: %s\n' "$1" "$2" "$answer" >&2
    return 1
  fi
  printf %s "$answer"
}

quote() { # as a string of JSON
  local text=$1
  text=${text//\\/\\\\} text=${text//\"/\\\"} text=${text//$'\n'/\\n} text=${text//$'\t'/\\t} text=${text//$'\r'/\\r}
  printf '"%s"' "$text"
}

# An inbox of one's own for the ends of jobs; it goes by itself if this script can't clear up.
ask PUT "queues/$vhost/$inbox" '{"durable": false, "arguments": {"x-expires": 600000}}'
trap 'ask DELETE "queues/$vhost/$inbox"' EXIT
for event in GenerationJobCompleted GenerationJobFailed GenerationJobCancelled; do
  ask PUT "exchanges/$vhost/Dsde.Contracts%3A$event" '{"type": "fanout", "durable": true}' # as workers declare it, who may not have come yet
  ask POST "bindings/$vhost/e/Dsde.Contracts%3A$event/q/$inbox" '{}' >/dev/null
done

body="{\"jobId\": \"$job\", \"model\": $(quote "$model"), \"prompt\": $(quote "$1"), \"maxTokens\": 24, \"temperature\": 0}"
answer=$(ask POST "exchanges/$vhost/dsde-generation-jobs/publish" "{\"routing_key\": $(quote "$model"),
  \"properties\": {\"content_type\": \"application/json\", \"delivery_mode\": 2}, \"payload_encoding\": \"base64\", \"payload\": \"$(printf %s "$body" | base64 --wrap 0)\"}")
[[ $answer == '{"routed":true}' ]] || { echo "submit.sh: the broker has no queue for the job: $answer" >&2; exit 1; }
echo "job $job sent" >&2

while true; do
  events=$(ask POST "queues/$vhost/$inbox/get" '{"count": 1, "ackmode": "ack_requeue_false", "encoding": "auto"}')
  if [[ $events == *"$job"* ]]; then break; fi
  if [[ $events == '[]' ]]; then sleep 0.2; fi
done
printf '%s\n' "$events"
