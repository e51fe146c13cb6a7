"""The lesson on TCP: a route of connections to the greeter, judged by who greets."""

from __future__ import annotations

from calico_lab.errors import ReportError
from calico_lab.lessons import connections
from calico_lab.lessons.checks import common
from calico_lab.lessons.checks.scene import GATEWAY, JsonObject, Scene
from calico_lab.lessons.checks.verdict import Evidence, Verdict, done, first, not_yet

ROUTE, LABELS = "greeter", "app=greeter"
# Over three pods a random balancer greets so many in turn in one of 2,400,000 runs: 3! / 3 ** 15.
CONNECTIONS = 15
_LOOK = f"kubectl get tcproute {ROUTE} -o yaml"


def check(scene: Scene) -> Verdict:
    """Whether whoever connects is greeted by one pod after the other."""
    route = scene.find("TCPRoute", ROUTE)
    if route is None:
        return common.missing(scene, "tcp", "TCPRoute", ROUTE)
    gateway = scene.find("Gateway", GATEWAY)
    if gateway is None:
        return common.missing(scene, "tcp", "Gateway", GATEWAY)
    return first(
        lambda: _no_listener(gateway, route),
        lambda: common.route_refused("tcp-not-accepted", route),
        lambda: _greetings(scene, gateway, route),
    )


def _listener(gateway: JsonObject, route: JsonObject) -> JsonObject | None:
    """Return the TCP listener that the route is for."""
    sections = {each.get("sectionName") for each in route["spec"].get("parentRefs") or ()}
    listeners = [each for each in gateway["spec"]["listeners"] if each["protocol"] == "TCP"]
    return next((each for each in listeners if sections & {None, each["name"]}), None)


def _no_listener(gateway: JsonObject, route: JsonObject) -> Verdict | None:
    if _listener(gateway, route):
        return None
    lines = [f"{each['name']}: {each['protocol']} {each['port']}" for each in gateway["spec"]["listeners"]]
    look = f"kubectl get gateway {GATEWAY} -o yaml"
    return not_yet(
        "tcp-listener", "the route is for no listener that takes TCP", Evidence("listeners", "\n".join(lines), look),
        hint="Compare the route's sectionName with the names and the protocols of the listeners.",
    )  # fmt: skip


def _greetings(scene: Scene, gateway: JsonObject, route: JsonObject) -> Verdict:
    listener = _listener(gateway, route)
    if not scene.address or listener is None:
        return common.waits("tcp", ["gateway"])
    address, port = scene.address, listener["port"]
    look = f"head -n 1 < /dev/tcp/{address}/{port}"
    try:
        found = connections.greeted(scene.lab, address, port, CONNECTIONS, LABELS)
    except ReportError as error:
        return not_yet(
            "tcp-silent", "not everybody who connects is greeted", Evidence(f"port {port}", error.problem, look),
            hint="Does the route name the port on which the pods greet, and are they ready?",
        )  # fmt: skip
    seen = Evidence(f"port {port}", repr(found), look)
    if not found.requests_in_turn:
        return not_yet(
            "tcp-turns", "the pods do not greet in turn", seen,
            hint="By default the pod with the fewest connections is taken, of two that are drawn. What changes that?",
        )  # fmt: skip
    return done("one connection after the other goes to the next pod", seen)
