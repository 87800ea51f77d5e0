"""Starts a script through the API, waits for its end, prints its output, and exits with its code. Needs Python 3 alone.

Usage: python3 deploy.py MUTEX COMMAND [ARGUMENT...]   (Linux)
"""

import http.client
import json
import os
import pathlib
import socket
import sys
import uuid

state = pathlib.Path(
    os.environ.get("UNJAM_HOME")
    or pathlib.Path(os.environ.get("XDG_STATE_HOME") or pathlib.Path.home() / ".local/state", "unjam")
)
host = json.loads((state / "host.json").read_text())


class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(host["address"])


def call(method, **given):
    connection = Connection("unjam")
    connection.request(
        "POST",
        f"/rpc/{method}",
        json.dumps(given),
        {"content-type": "application/json", "authorization": f"Bearer {host['token']}"},
    )
    answer = json.load(connection.getresponse())
    connection.close()
    if not answer["ok"]:
        error = answer["error"]
        sys.exit(f"{error['message']} {error['next']} ({error['code']})")
    return answer["value"]


mutex, *command = sys.argv[1:]
# The same ticket never runs twice: the call may be repeated when its answer was lost.
ticket = f"example-{uuid.uuid4()}"
call("scripts.start", ticket=ticket, command=command, cwd=os.getcwd(), isolation={"level": "full", "mutex": mutex})
begin, complete = 0, False
while not complete:
    page = call("logs.read", ticket=ticket, **{"from": begin}, waitMs=20000)  # held until there is something new
    for entry in page["entries"]:
        if entry["stream"] != "unjam":
            print(entry["text"], end="", flush=True, file=getattr(sys, entry["stream"]))
    begin, complete = page["next"], page["complete"]
script = call("scripts.get", ticket=ticket)
print(script["condition"]["headline"], file=sys.stderr)
exited = script["verdict"] == "exited" and script["exitCode"] is not None
sys.exit(script["exitCode"] if exited else 1)
