#!/usr/bin/env bash
# The main job, live: builds queue-server, puts it under load, and asks it what it is doing.
#   demo.sh          signal and file trigger, then stops
#   demo.sh --serve  the signal, then leaves the server running and says how to talk to it
set -euo pipefail
cd "$(dirname "$0")/../.."

mode=${1:-}
case "$mode" in
  ''|--serve) ;;
  *) echo "usage: apps/queue-server/demo.sh [--serve]" >&2; exit 64 ;;
esac

config/install-packages.sh build demo
echo "== building queue-server (the first time takes a few minutes)"
cmake --preset demo -DGMR_UNITY=ON >/dev/null
cmake --build --preset demo --target queue-server

work=$(mktemp -d)
server='' clients=''
stop() {
  [ -z "$clients" ] || kill "$clients" 2>/dev/null || true
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap stop EXIT

# await_line FILE PATTERN: waits until the file has such a line, at most 60 seconds.
await_line() {
  for _ in $(seq 600); do
    if grep -q "$2" "$1" 2>/dev/null; then return 0; fi
    sleep 0.1
  done
  echo "demo: no '$2' in $1 after 60 s" >&2
  cat "$1" >&2
  return 1
}

# start NAME OPTION...: starts a server and its clients; sets http, websocket, server and clients.
start() {
  local name=$1
  shift
  build/demo/bin/queue-server --config-file config/queue-server.conf --http.port=0 \
    --websocket.port=0 --storage.path="$work/$name.db" "$@" >"$work/$name.out" 2>"$work/$name.err" &
  server=$!
  await_line "$work/$name.out" '^websocket listening on'
  await_line "$work/$name.out" '^http listening on'
  http=$(sed -n 's/^http listening on //p' "$work/$name.out")
  websocket=$(sed -n 's/^websocket listening on //p' "$work/$name.out")
}

start_clients() {
  /usr/bin/python3 apps/queue-server/demo_clients.py "$http" "$websocket" >"$work/clients.out" &
  clients=$!
  await_line "$work/clients.out" '^connected$'
}

stop_clients() {
  kill "$clients"
  wait "$clients" 2>/dev/null || true
  clients=''
}

stop_all() {
  stop_clients
  kill "$server"
  wait "$server"
  echo "== queue-server stopped with exit code $?"
  server=''
}

echo "== starting queue-server with config/queue-server.conf"
start signal
start_clients
echo "== 20 HTTP and 20 WebSocket clients post, claim and wait; sending SIGUSR2 to process $server"
kill -USR2 "$server"
await_line "$work/signal.err" 'End of Guru Meditation'
cat "$work/signal.err"

if [ "$mode" = --serve ]; then
  stop_clients
  cat <<TEXT
== queue-server is running, process $server; press Ctrl-C to stop it
   a message:   curl -i -X POST http://$http/v2/queues/demo/messages -H 'Client-ID: 3381af92-2b9e-11e3-b191-71861300734c' \\
                  -H 'X-Project-Id: demo' -H 'Content-Type: application/json' -d '{"messages": [{"ttl": 300, "body": "hello"}]}'
   WebSocket:   ws://$websocket
   a report:    kill -USR2 $server; cat $work/signal.err
TEXT
  wait "$server"
  exit
fi
stop_all

echo "== the same with a file trigger: SIGUSR2 is off, touching a file makes the report"
start file --oslo_reports.file_event_handler="$work/report-now"
start_clients
kill -USR2 "$server"
touch "$work/report-now"
await_line "$work/file.err" 'End of Guru Meditation'
head -n 20 "$work/file.err"
echo "   ... and $(($(wc -l <"$work/file.err") - 20)) lines more"
stop_all
