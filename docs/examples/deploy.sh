#!/bin/bash
# Starts a script through the API, waits for its end, prints its output, and exits with its code. Needs bash, curl and jq.
# Usage: deploy.sh MUTEX COMMAND [ARGUMENT...]
set -euo pipefail
state=${UNJAM_HOME:-${XDG_STATE_HOME:-$HOME/.local/state}/unjam}
address=$(jq -r .address "$state/host.json")

call() { # METHOD JSON
  curl --silent --show-error --unix-socket "$address" --json "$2" \
    --header "authorization: Bearer $(cat "$state/token")" "http://unjam/rpc/$1"
}
value() { jq -e 'if .ok then .value else error(.error.message + " " + .error.next) end'; }

mutex=$1
shift
# The same ticket never runs twice: the call may be repeated when its answer was lost.
ticket=example-$$-$(date +%s)
start=$(jq -nc --arg ticket "$ticket" --arg mutex "$mutex" --arg cwd "$PWD" \
  '{ticket: $ticket, cwd: $cwd, command: $ARGS.positional, isolation: {level: "full", mutex: $mutex}}' --args -- "$@")
call scripts.start "$start" | value > /dev/null

from=0
while :; do # each answer is held until there is something new
  page=$(call logs.read "{\"ticket\":\"$ticket\",\"from\":$from,\"waitMs\":20000}" | value)
  jq -j '.entries[] | select(.stream != "unjam") | .text' <<< "$page"
  from=$(jq .next <<< "$page")
  [ "$(jq .complete <<< "$page")" = true ] && break
done
script=$(call scripts.get "{\"ticket\":\"$ticket\"}" | value)
jq -r '.condition.headline' <<< "$script" >&2
exit "$(jq 'if .verdict == "exited" then .exitCode // 1 else 1 end' <<< "$script")"
