# Starts and stops a PostgreSQL and a RabbitMQ of one's own, from the distribution's binaries, on loopback addresses. Sourced by others, which say in
# folder_remedy what to do about a folder that can't be used.
# shellcheck shell=bash

fail() { printf '%s: %s\n' "$(basename -- "$0")" "$1" >&2; exit 2; }

# Where PostgreSQL's server programs are: Debian keeps them off the PATH.
postgresql_bin() {
  local found
  found=$(find /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin -maxdepth 1 -name initdb 2>/dev/null | sort -V | tail -1)
  [[ -n $found ]] || found=$(command -v initdb || true)
  [[ -n $found ]] || fail "PostgreSQL's server is not installed; install the package 'postgresql' (./test.sh does)."
  dirname -- "$found"
}

# PostgreSQL refuses to run as root: then the system user 'postgres' runs it.
as_postgresql_user() {
  if [[ $(id -u) -eq 0 ]]; then runuser -u postgres -- "$@"; else "$@"; fi
}

postgresql_may_enter() (cd / && as_postgresql_user test -x "$1")

# make_folder FOLDER: makes it, with those above it.
make_folder() {
  [[ $1 != *[\'\"\\\`\$]* ]] || fail "servers can't run in $1, because of a quotation mark, backslash, backtick or dollar in its name. ${folder_remedy:?}"
  if ! (umask 022 && mkdir -p -- "$1") 2>/dev/null || [[ ! -w $1 || ! -x $1 ]]; then
    fail "the user $(id -un) can't make the folder $1 or write to it. ${folder_remedy:?}"
  fi
}

# give_to_postgresql FOLDER: makes it PostgreSQL's own, and sees that its user gets there.
give_to_postgresql() {
  local closed
  [[ $(id -u) -eq 0 ]] || return 0
  id -- postgres >/dev/null 2>&1 || fail "the user 'postgres', who runs PostgreSQL when root starts it, does not exist; install the package 'postgresql', or start it as another user."
  closed=$(readlink -f -- "$1")
  chown postgres -- "$1"
  postgresql_may_enter "$closed" || {
    until postgresql_may_enter "$(dirname -- "$closed")"; do closed=$(dirname -- "$closed"); done
    fail "the user 'postgres', who runs PostgreSQL when root starts it, can't get to $1, because $closed is closed to others (mode $(stat -c %a -- "$closed")). ${folder_remedy:?}"
  }
}

rabbitmq_bin() {
  local found
  for found in /usr/lib/rabbitmq/bin /opt/homebrew/sbin; do
    [[ -x $found/rabbitmq-server ]] && { echo "$found"; return; }
  done
  fail "RabbitMQ is not installed; install the package 'rabbitmq-server' (./test.sh does)."
}

port_is_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# start_postgresql FOLDER PORT: user and database 'dsde', password 'dsde'. With SERVERS_TLS_FOLDER (server.pem, server.key) it takes TLS as well.
start_postgresql() {
  local folder=$1 port=$2 bin tls=""
  bin=$(postgresql_bin)
  make_folder "$folder"
  give_to_postgresql "$folder"
  if [[ -n ${SERVERS_TLS_FOLDER:-} ]]; then
    install -m 600 "$SERVERS_TLS_FOLDER/server.pem" "$SERVERS_TLS_FOLDER/server.key" "$folder"
    [[ $(id -u) -ne 0 ]] || chown postgres "$folder/server.pem" "$folder/server.key"
    tls="-c ssl=on -c ssl_cert_file=$folder/server.pem -c ssl_key_file=$folder/server.key"
  fi
  cd "$folder" || fail "$folder can't be entered."
  if [[ ! -f $folder/data/PG_VERSION ]]; then
    # shellcheck disable=SC2016 # the arguments are for the inner shell
    as_postgresql_user bash -c 'echo dsde >"$1/password" && "$2/initdb" -D "$1/data" -U dsde --pwfile="$1/password" -A scram-sha-256 -E UTF8 --locale=C.UTF-8 >"$1/initdb.log" 2>&1' _ "$folder" "$bin" \
      || { cat "$folder/initdb.log" >&2; fail "PostgreSQL's data folder could not be made."; }
  fi
  as_postgresql_user "$bin/pg_ctl" -D "$folder/data" -l "$folder/postgresql.log" -w -t 60 \
    -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200 -c fsync=${POSTGRESQL_FSYNC:-on} $tls" start >/dev/null \
    || { tail -20 "$folder/postgresql.log" >&2; fail "PostgreSQL did not start on port $port."; }
  PGPASSWORD=dsde psql -h 127.0.0.1 -p "$port" -U dsde -d postgres -qAtc "SELECT 1 FROM pg_database WHERE datname='dsde'" | grep -q 1 \
    || PGPASSWORD=dsde psql -h 127.0.0.1 -p "$port" -U dsde -d postgres -qc 'CREATE DATABASE dsde' || fail "PostgreSQL on port $port does not answer."
}

stop_postgresql() {
  local folder=$1
  [[ ! -f $folder/data/postmaster.pid ]] || (cd "$folder" && as_postgresql_user "$(postgresql_bin)/pg_ctl" -D "$folder/data" -m fast -w stop >/dev/null)
}

# Ends a PostgreSQL as a power cut would: no checkpoint, no word to clients.
kill_postgresql() {
  local folder=$1 pid children
  pid=$(head -1 "$folder/data/postmaster.pid" 2>/dev/null) || return 0
  kill -STOP "$pid" 2>/dev/null || return 0 # so that it makes no more of them
  children=$(pgrep -P "$pid" || true)
  # shellcheck disable=SC2086 # several ids
  kill -KILL "$pid" $children 2>/dev/null || true
  # While one of them lives, its shared memory keeps a new server from starting.
  # shellcheck disable=SC2086
  wait_for_end "$pid" $children
}

wait_for_end() {
  local waited=0
  while kill -0 "$@" 2>/dev/null && ((++waited <= 300)); do sleep 0.05; done
}

# Environment of one RabbitMQ node of its own: FOLDER PORT; the distribution port and the port mapper's follow from PORT.
rabbitmq_environment() {
  local folder=$1 port=$2
  export HOME=$folder RABBITMQ_NODENAME="dsde-$port@localhost" RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT=$port
  export RABBITMQ_DIST_PORT=$((port + 1)) ERL_EPMD_PORT=$((port + 2)) ERL_EPMD_ADDRESS=127.0.0.1
  export RABBITMQ_MNESIA_BASE=$folder/data RABBITMQ_LOG_BASE=$folder/log RABBITMQ_SCHEMA_DIR=$folder/schema RABBITMQ_GENERATED_CONFIG_DIR=$folder/config
  export RABBITMQ_ENABLED_PLUGINS_FILE=$folder/enabled_plugins RABBITMQ_CONFIG_FILE=$folder/rabbitmq.conf RABBITMQ_PID_FILE=$folder/pid
  export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none ${RABBITMQ_EXTRA_ARGUMENTS:-}"
}

# start_rabbitmq FOLDER PORT: user and password 'guest'; management on PORT + 3. With SERVERS_TLS_FOLDER (server.pem, server.key, ca.pem) it takes TLS
# on PORT + 4, from clients that show a certificate of that authority; with RABBITMQ_PROMETHEUS=1 its metrics are there instead.
start_rabbitmq() {
  local folder=$1 port=$2 bin server waited=0
  bin=$(rabbitmq_bin)
  make_folder "$folder/data"
  make_folder "$folder/log"
  echo '[rabbitmq_management].' >"$folder/enabled_plugins"
  printf 'management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = %s\nmanagement.disable_stats = false\n' "$((port + 3))" >"$folder/rabbitmq.conf"
  if [[ ${RABBITMQ_PROMETHEUS:-} == 1 ]]; then
    echo '[rabbitmq_management, rabbitmq_prometheus].' >"$folder/enabled_plugins"
    printf 'prometheus.tcp.ip = 127.0.0.1\nprometheus.tcp.port = %s\n' "$((port + 4))" >>"$folder/rabbitmq.conf"
  fi
  if [[ -n ${SERVERS_TLS_FOLDER:-} ]]; then
    printf 'listeners.ssl.default = 127.0.0.1:%s\nssl_options.cacertfile = %s/ca.pem\nssl_options.certfile = %s/server.pem\nssl_options.keyfile = %s/server.key\nssl_options.verify = verify_peer\nssl_options.fail_if_no_peer_cert = true\n' \
      "$((port + 4))" "$SERVERS_TLS_FOLDER" "$SERVERS_TLS_FOLDER" "$SERVERS_TLS_FOLDER" >>"$folder/rabbitmq.conf"
  fi
  [[ -z ${RABBITMQ_EXTRA_CONFIG:-} ]] || printf '%b\n' "$RABBITMQ_EXTRA_CONFIG" >>"$folder/rabbitmq.conf"
  (
    rabbitmq_environment "$folder" "$port"
    cd "$folder" || exit
    exec "$bin/rabbitmq-server" </dev/null >"$folder/server.log" 2>&1
  ) &
  server=$!
  until port_is_open "$port" && port_is_open "$((port + 3))"; do
    if ((++waited > 1800)) || ! kill -0 "$server" 2>/dev/null; then
      tail -30 "$folder/server.log" | cut -c1-300 >&2
      stop_rabbitmq "$folder" "$port"
      fail "RabbitMQ did not start on port $port."
    fi
    sleep 0.1
  done
}

stop_rabbitmq() {
  local folder=$1 port=$2 pid waited=0
  pid=$(cat "$folder/pid" 2>/dev/null || true)
  if [[ -n $pid ]] && kill -TERM "$pid" 2>/dev/null; then
    while kill -0 "$pid" 2>/dev/null && ((++waited <= 150)); do sleep 0.1; done
    kill -KILL "$pid" 2>/dev/null || true
  fi
  ERL_EPMD_PORT=$((port + 2)) epmd -kill >/dev/null 2>&1 || true
}

# Ends a RabbitMQ as a power cut would.
kill_rabbitmq() {
  local folder=$1 pid
  pid=$(cat "$folder/pid" 2>/dev/null || true)
  [[ -n $pid ]] || return 0
  kill -KILL "$pid" 2>/dev/null || true
  wait_for_end "$pid"
  rm -f "$folder/pid"
}

# rabbitmq_eval FOLDER PORT EXPRESSION: has that node evaluate Erlang; writes the value, or what went wrong. In milliseconds: rabbitmqctl takes seconds.
rabbitmq_eval() (
  rabbitmq_environment "$1" "$2"
  answer=$(printf '%s\n' "$3" | erl_call -n "$RABBITMQ_NODENAME" -c "$(<"$HOME/.erlang.cookie")" -e) || exit
  [[ $answer != '{ok, '*'}' ]] || answer=${answer#'{ok, '} answer=${answer%'}'}
  printf '%s\n' "$answer"
)
