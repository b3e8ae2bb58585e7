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
folder=${DSDE_SERVICES_FOLDER:-$default_folder}
# shellcheck disable=SC2034 # for servers.sh
folder_remedy="Set DSDE_SERVICES_FOLDER to one that this user may write and PostgreSQL's may enter, for example /var/tmp/dsde-services."
postgresql_port=${DSDE_POSTGRESQL_PORT:-55432}
rabbitmq_port=${DSDE_RABBITMQ_PORT:-55672}

postgresql_runs() { [[ -f $folder/postgresql/data/postmaster.pid ]] && port_is_open "$postgresql_port"; }
rabbitmq_runs() { [[ -f $folder/rabbitmq/pid ]] && kill -0 "$(cat "$folder/rabbitmq/pid")" 2>/dev/null && port_is_open "$rabbitmq_port"; }
require_free() { ! port_is_open "$1" || fail "port $1 is taken by another program; set $2 to a free one."; }

show_settings() {
  cat <<END
For ./dsde, paste this into your shell:
  export Dsde__RabbitMq__Host=127.0.0.1 Dsde__RabbitMq__Port=$rabbitmq_port
  export Dsde__Persistence__ConnectionString='Host=127.0.0.1;Port=$postgresql_port;Database=dsde;Username=dsde;Password=dsde'
END
}

case ${1:-} in
  start)
    make_folder "$folder"
    if postgresql_runs; then echo "PostgreSQL runs already"; else require_free "$postgresql_port" DSDE_POSTGRESQL_PORT; start_postgresql "$folder/postgresql" "$postgresql_port"; echo "PostgreSQL: 127.0.0.1:$postgresql_port, database, user and password dsde"; fi
    if rabbitmq_runs; then echo "RabbitMQ runs already"; else require_free "$rabbitmq_port" DSDE_RABBITMQ_PORT; start_rabbitmq "$folder/rabbitmq" "$rabbitmq_port"; echo "RabbitMQ: 127.0.0.1:$rabbitmq_port, user and password guest; management http://127.0.0.1:$((rabbitmq_port + 3))"; fi
    disown -a
    show_settings
    ;;
  stop)
    stop_rabbitmq "$folder/rabbitmq" "$rabbitmq_port"
    stop_postgresql "$folder/postgresql"
    echo "stopped; the data stays in $folder"
    ;;
  status)
    if postgresql_runs; then echo "PostgreSQL runs on port $postgresql_port"; else echo "PostgreSQL does not run"; fi
    if rabbitmq_runs; then echo "RabbitMQ runs on port $rabbitmq_port"; else echo "RabbitMQ does not run"; fi
    if postgresql_runs && rabbitmq_runs; then show_settings; else exit 1; fi
    ;;
  --help | -h | help) usage ;;
  *) usage >&2; exit 2 ;;
esac
