"""How an Envoy that is to end lets its connections drain: a script for the preStop hook of its container.

What upstream's shutdown-manager does (https://gateway.envoyproxy.io/docs/tasks/operations/graceful-shutdown/), with a
shorter least time: Envoy asks every client to connect anew, and ends when no request is left to be answered.
"""

from __future__ import annotations

# Until the routes have moved and kept connections have been asked to close; upstream 10.
LEAST_SECONDS = 1
MOST_SECONDS = 60

# Of the requests on their way those of the Gateway's own listeners: somebody always asks the administration.
_ANSWERING = r"^http\.https?-.*\.downstream_rq_active: [1-9]"


def script(admin_port: int) -> str:
    """Return the script; ``admin_port`` is that of Envoy's administration on loopback."""
    return rf"""ask() {{
  exec 3<> /dev/tcp/127.0.0.1/{admin_port}
  printf '%s HTTP/1.1\r\nHost: envoy\r\nConnection: close\r\n\r\n' "$1" >&3
  cat <&3
}}
ask 'POST /healthcheck/fail'
ask 'POST /drain_listeners?graceful&skip_exit'
sleep {LEAST_SECONDS}
until [ $SECONDS -ge {MOST_SECONDS} ] || ! ask 'GET /stats?filter=downstream_rq_active' | grep -qE '{_ANSWERING}'
do sleep 0.2; done
"""
