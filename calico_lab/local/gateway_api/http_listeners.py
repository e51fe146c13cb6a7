"""From the HTTP and HTTPS listeners of a Gateway, and the routes attached to them, to what each of its ports serves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from calico_lab.local.gateway_api import hostnames, precedence
from calico_lab.local.gateway_api.http_routes import Attachment
from calico_lab.local.gateway_api.listeners import ListenerState
from calico_lab.local.gateway_api.model import Listener, Port, Route, Source, VirtualHost, container_port

# The routes at each listener, by the listener's full name.
Attachments = Mapping[str, list[Attachment]]


def http_listeners(states: Iterable[ListenerState], attachments: Attachments) -> tuple[Listener, ...]:
    """Return one listener for all HTTP listeners with a port, and one for each HTTPS listener, where they are ready."""
    by_server: dict[tuple[int, str], list[ListenerState]] = defaultdict(list)
    for state in states:
        if state.ready and state.spec["protocol"] in ("HTTP", "HTTPS"):
            own = state.name if state.spec["protocol"] == "HTTPS" else ""
            by_server[state.spec["port"], own].append(state)
    return tuple(_listener(sharing, attachments) for sharing in by_server.values())


def ports(states: Iterable[ListenerState]) -> tuple[Port, ...]:
    """Return the ports of the listeners that are ready, each once and named after the first listener that has it."""
    found: dict[int, Port] = {}
    for state in states:
        number, protocol = state.spec["port"], state.spec["protocol"]
        if state.ready:
            found.setdefault(number, Port(f"{protocol.lower()}-{number}", number, container_port(number)))
    return tuple(found.values())


def _listener(sharing: Sequence[ListenerState], attachments: Attachments) -> Listener:
    first = sharing[0]
    port = first.spec["port"]
    common = Listener(first.name, port, container_port(port), _virtual_hosts(sharing, attachments))
    if first.spec["protocol"] == "HTTP":
        return common
    return replace(common, hostname=first.hostname, certificates=first.certificates, http2=not first.overlapping)


def _virtual_hosts(sharing: Iterable[ListenerState], attachments: Attachments) -> tuple[VirtualHost, ...]:
    """Return the virtual hosts of a port; a hostname that two listeners have belongs to the more specific one."""
    hosts: dict[str, VirtualHost] = {}
    for state in sorted(sharing, key=lambda state: _specificity(state.hostname), reverse=True):
        routes: dict[str, list[Route]] = defaultdict(list)
        for attachment in attachments.get(state.name, ()):
            for hostname, served in attachment.by_hostname.items():
                routes[hostname] += served
        for hostname, found in routes.items():
            if found and hostname not in hosts:
                name = f"{state.name}/{hostname.replace('.', '_')}"
                source = Source("Gateway", state.gateway, state.spec["name"])
                hosts[hostname] = VirtualHost(name, hostname, precedence.in_order(found), source)
    return tuple(hosts[hostname] for hostname in sorted(hosts))


def _specificity(hostname: str) -> tuple[bool, int]:
    return (bool(hostname) and not hostname.startswith(hostnames.ANY), len(hostname))
