"""The step gateway: the Gateway of the guide, as it is written; and the steps ready and address, what came of it."""

from __future__ import annotations

from calico_lab import conditions
from calico_lab.lessons.checks import common, gateway_api
from calico_lab.lessons.checks.scene import GATEWAY, HOST, JsonObject, Scene
from calico_lab.lessons.checks.verdict import Evidence, Verdict, done, first, not_yet, wrong

PORT = 80
GUIDE_CLASS = "tigera-gateway-class"
_LOOK = f"kubectl get gateway {GATEWAY} -o yaml"


def check(scene: Scene) -> Verdict:
    """Whether the Gateway names a class that exists and listens as the guide's does."""
    if not scene.serves("Gateway"):
        return common.waits("gateway", ["gateway-api"])
    gateway = scene.find("Gateway", GATEWAY)
    if gateway is None:
        return common.missing(scene, "gateway", "Gateway", GATEWAY)
    return first(
        lambda: _class_wrong(scene, gateway),
        lambda: _listener_wrong(gateway),
        lambda: _not_accepted(scene, gateway),
        lambda: _done(gateway),
    )


def _class_wrong(scene: Scene, gateway: JsonObject) -> Verdict | None:
    named = gateway["spec"]["gatewayClassName"]
    known = [item["metadata"]["name"] for item in gateway_api.classes(scene)]
    if named in known:
        return None
    if named == GUIDE_CLASS:
        return common.waits("gateway", ["gateway-api"])
    return wrong(
        "gateway-class", f"there is no class {named} of Envoy Gateway",
        Evidence(f"gatewayClassName of {GATEWAY}", named, _LOOK),
        Evidence("GatewayClasses", ", ".join(known) or "none", "kubectl get gatewayclass"), common.said(gateway),
        hint="A Gateway whose class nobody serves is nobody's business: its conditions wait for ever. "
        "Compare letter by letter.",
    )  # fmt: skip


def _listener_wrong(gateway: JsonObject) -> Verdict | None:
    listeners = gateway["spec"]["listeners"]
    seen = Evidence("listeners", "\n".join(map(_listener, listeners)), _LOOK)
    http = [each for each in listeners if each["protocol"] == "HTTP"]
    if not http:
        return wrong(
            "gateway-listener-protocol", "no listener speaks HTTP", seen,
            hint="Which protocol does hey speak to an address that begins with http:// ?",
        )  # fmt: skip
    at_port = [each for each in http if each["port"] == PORT]
    if not at_port:
        return wrong(
            "gateway-listener-port", "no listener is at the port that the test asks", seen,
            hint="At which port does a client ask when an address that begins with http:// names none?",
        )  # fmt: skip
    if not any(common.hostname_fits(each.get("hostname", ""), HOST) for each in at_port):
        return wrong(
            "gateway-listener-hostname", f"the listener takes no requests for {HOST}", seen,
            hint="A listener with a hostname takes requests for that one only. Does the guide's have one?",
        )  # fmt: skip
    if not any(_lets_in_routes(each) for each in at_port):
        return wrong(
            "gateway-listener-routes", "the listener lets in no routes from its own namespace", seen,
            hint="A listener decides which routes may be attached to it: allowedRoutes.",
        )  # fmt: skip
    return None


def _lets_in_routes(listener: JsonObject) -> bool:
    allowed = listener.get("allowedRoutes") or {}
    kinds = [each["kind"] for each in allowed.get("kinds") or ()]
    return (allowed.get("namespaces") or {}).get("from", "Same") != "None" and (not kinds or "HTTPRoute" in kinds)


def _listener(listener: JsonObject) -> str:
    hostname = f" for {listener['hostname']}" if listener.get("hostname") else ""
    return f"{listener['name']}: {listener['protocol']} at port {listener['port']}{hostname}"


def _not_accepted(scene: Scene, gateway: JsonObject) -> Verdict | None:
    if conditions.is_true(gateway, "Accepted"):
        return None
    earlier = scene.unfinished("gateway-api")
    if earlier:
        return common.waits("gateway", earlier, common.said(gateway))
    if common.is_false(gateway, "Accepted"):
        return wrong(
            "gateway-not-accepted", "Envoy Gateway does not accept it", common.said(gateway),
            hint="The condition's message names the field that it does not like.",
        )  # fmt: skip
    return not_yet(
        "gateway-unseen", "Envoy Gateway has not looked at it so far", common.said(gateway),
        hint="Some seconds are normal. After that: does Envoy Gateway's own pod run?",
    )  # fmt: skip


def _done(gateway: JsonObject) -> Verdict:
    name = gateway["spec"]["gatewayClassName"]
    return done(
        f"the Gateway {GATEWAY} of the class {name} is accepted",
        Evidence("listeners", "\n".join(map(_listener, gateway["spec"]["listeners"])), _LOOK), common.said(gateway),
    )  # fmt: skip
