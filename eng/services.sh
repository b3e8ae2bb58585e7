#!/usr/bin/env bash
# A RabbitMQ and a PostgreSQL for development, with data that stays: services.sh start|stop|status
set -euo pipefail
# shellcheck source=eng/servers.sh
source "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/servers.sh"

usage() {
  cat <<'END'
usage: eng/services.sh start|stop|status
Runs a RabbitMQ and a PostgreSQL for development on loopback ports, without root rights beyond the installation of the packages
rabbitmq-server and postgresql. Data stays until you delete the folder.
  DSDE_SERVICES_FOLDER    where data and logs are (default: ~/.local/state/dsde-services; /var/tmp/dsde-services for root)
  DSDE_POSTGRESQL_PORT    default 55432
  DSDE_RABBITMQ_PORT      default 55672; the next two ports are its own as well, and the third has the management pages
END
}

if [[ $(id -u) -eq 0 ]]; then default_folder=/var/tmp/dsde-services; else default_folder=${XDG_STATE_HOME:-$HOME/.local/state}/dsde-services; fi
folder=$(realpath -m -- "${DSDE_SERVICES_FOLDER:-$default_folder}") # whole, as the servers run in folders of their own
# shellcheck disable=SC2034 # for servers.sh
folder_remedy="Set DSDE_SERVICES_FOLDER to one that this user may write and PostgreSQL's may enter, for example /var/tmp/dsde-services."
postgresql_port=${DSDE_POSTGRESQL_PORT:-55432}
rabbitmq_port=${DSDE_RABBITMQ_PORT:-55672}

postgresql_runs() { [[ -f $folder/postgresql/data/postmaster.pid ]] && port_is_open "$postgresql_port"; }
rabbitmq_runs() { [[ -f $folder/rabbitmq/pid ]] && kill -0 "$(cat "$folder/rabbitmq/pid")" 2>/dev/null && port_is_open "$rabbitmq_port"; }

require_port() { # PORT VARIABLE MOST
  [[ $1 =~ ^[1-9][0-9]{0,4}$ ]] && (($1 <= $3)) && return
  fail "$2 is \"$1\", and takes a port: a number from 1 to $3."
}
require_free() { # PORT VARIABLE
  ! port_is_open "$1" || fail "port $1 is taken by another program; set $2 to ${3:-a free one}."
}

# A start and a stop at the same moment take turns: the second sees what the first has done.
take_turn() {
  command -v flock >/dev/null || fail "'flock' is missing; install the package 'util-linux'."
  [[ ${DSDE_SERVICES_TURN:-} == "$folder" ]] || DSDE_SERVICES_TURN=$folder exec flock --close "$folder/lock" "${BASH_SOURCE[0]}" "$@"
}

start_services() {
  local port
  if ! postgresql_runs; then require_free "$postgresql_port" DSDE_POSTGRESQL_PORT; fi
  if ! rabbitmq_runs; then
    require_free "$rabbitmq_port" DSDE_RABBITMQ_PORT
    for port in $((rabbitmq_port + 1)) $((rabbitmq_port + 3)); do # between them is the port mapper's, which may be there already
      require_free "$port" DSDE_RABBITMQ_PORT "one that is free with the next three"
    done
  fi
  if postgresql_runs; then
    echo "PostgreSQL runs already"
  else
    start_postgresql "$folder/postgresql" "$postgresql_port"
    echo "PostgreSQL: 127.0.0.1:$postgresql_port, database, user and password dsde"
  fi
  if rabbitmq_runs; then
    echo "RabbitMQ runs already"
  else
    start_rabbitmq "$folder/rabbitmq" "$rabbitmq_port"
    echo "RabbitMQ: 127.0.0.1:$rabbitmq_port, user and password guest; management http://127.0.0.1:$((rabbitmq_port + 3))"
  fi
  disown -a
}

show_settings() {
  cat <<END
For ./dsde, paste this into your shell:
  export Dsde__RabbitMq__Host=127.0.0.1 Dsde__RabbitMq__Port=$rabbitmq_port
  export Dsde__Persistence__ConnectionString='Host=127.0.0.1;Port=$postgresql_port;Database=dsde;Username=dsde;Password=dsde'
END
}

case ${1:-} in
  start)
    require_port "$postgresql_port" DSDE_POSTGRESQL_PORT 65535
    require_port "$rabbitmq_port" DSDE_RABBITMQ_PORT 65532
    make_folder "$folder"
    take_turn "$@"
    start_services
    show_settings
    ;;
  stop)
    if [[ ! -d $folder ]]; then
      echo "nothing to stop: there is no folder $folder"
    else
      take_turn "$@"
      stop_rabbitmq "$folder/rabbitmq" "$rabbitmq_port"
      stop_postgresql "$folder/postgresql"
      echo "stopped; the data stays in $folder"
    fi
    ;;
  status)
    if postgresql_runs; then echo "PostgreSQL runs on port $postgresql_port"; else echo "PostgreSQL does not run"; fi
    if rabbitmq_runs; then echo "RabbitMQ runs on port $rabbitmq_port"; else echo "RabbitMQ does not run"; fi
    if postgresql_runs && rabbitmq_runs; then show_settings; else exit 1; fi
    ;;
  --help | -h | help) usage ;;
  *) usage >&2; exit 2 ;;
esac
