"""The lesson on TLS: a listener that ends it, and a route of connections that pass through.

Both are judged by the certificate that a client is shown, beside the one in the Secret where the key lies.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime

from calico_lab.errors import ReportError
from calico_lab.lessons import certificates, tls
from calico_lab.lessons.certificates import Certificate
from calico_lab.lessons.checks import common
from calico_lab.lessons.checks.scene import GATEWAY, HOST, JsonObject, Scene
from calico_lab.lessons.checks.verdict import Evidence, Verdict, done, first, not_yet, wrong

ROUTE, SECRET, PRIVATE = "private", "private-certificate", "private.example.com"
_LOOK = f"kubectl get gateway {GATEWAY} -o yaml"


def check_termination(scene: Scene) -> Verdict:
    """Whether the Gateway ends TLS for the guide's host, with a certificate that is for it."""
    gateway = scene.find("Gateway", GATEWAY)
    if gateway is None:
        return common.missing(scene, "tls", "Gateway", GATEWAY)
    listener = _listener(gateway, "HTTPS", HOST)
    if listener is None:
        return not_yet(
            "tls-listener", f"no listener takes HTTPS for {HOST}", _listeners(gateway),
            hint="A listener has a protocol and, where it is not for all names, a hostname.",
        )  # fmt: skip
    references = listener["tls"]["certificateRefs"]
    secret = references[0]["name"]
    return first(
        lambda: _not_resolved(gateway, listener),
        lambda: _unfit(scene, secret),
        lambda: _shown(scene, "tls", HOST, secret, f"TLS for {HOST} ends at the gateway"),
    )


def check_passthrough(scene: Scene) -> Verdict:
    """Whether connections for the lesson's private host go through to a pod that shows its own certificate."""
    route = scene.find("TLSRoute", ROUTE)
    if route is None:
        return common.missing(scene, "passthrough", "TLSRoute", ROUTE)
    gateway = scene.find("Gateway", GATEWAY)
    if gateway is None:
        return common.missing(scene, "passthrough", "Gateway", GATEWAY)
    return first(
        lambda: _not_passed(gateway),
        lambda: common.route_refused("passthrough-not-accepted", route, called="the route"),
        lambda: _shown(scene, "passthrough", PRIVATE, SECRET, f"TLS for {PRIVATE} ends at the pod"),
    )


def _listener(gateway: JsonObject, protocol: str, host: str) -> JsonObject | None:
    """Return the listener of a protocol that takes a host, the one with the longest hostname of several."""
    fitting = [
        each
        for each in gateway["spec"]["listeners"]
        if each["protocol"] == protocol and common.hostname_fits(each.get("hostname") or "", host)
    ]
    return max(fitting, key=lambda each: len(each.get("hostname") or ""), default=None)


def _listeners(gateway: JsonObject) -> Evidence:
    lines = [
        f"{each['name']}: {each['protocol']} {each['port']} {each.get('hostname', '')}".rstrip()
        for each in gateway["spec"]["listeners"]
    ]
    return Evidence("listeners", "\n".join(lines), _LOOK)


def _not_resolved(gateway: JsonObject, listener: JsonObject) -> Verdict | None:
    states = (gateway.get("status") or {}).get("listeners") or []
    told = [each for state in states if state["name"] == listener["name"] for each in state["conditions"]]
    for each in told:
        if each["type"] == "ResolvedRefs" and each["status"] == "False":
            return wrong(
                "tls-secret", "the listener has no certificate that it can use",
                Evidence(f"listener {listener['name']}", f"{each['reason']}: {each['message']}", _LOOK),
                hint="The message names the Secret and says what is the matter with it.",
            )  # fmt: skip
    return None


def _certificate(scene: Scene, secret: str) -> Certificate | None:
    found = scene.find("Secret", secret)
    try:
        return certificates.read(base64.b64decode((found or {})["data"]["tls.crt"]).decode())
    except (KeyError, binascii.Error, ReportError):
        return None


def _unfit(scene: Scene, secret: str) -> Verdict | None:
    """Return the verdict on a certificate that the gateway takes and a client would not."""
    certificate = _certificate(scene, secret)
    if certificate is None:
        return None  # the Secret is in a namespace that is not looked into: what is shown will tell
    look = f"kubectl get secret {secret} -o jsonpath='{{.data.tls\\.crt}}' | base64 -d | openssl x509 -noout -text"
    if certificate.expires < datetime.now(UTC):
        return wrong(
            "tls-expired", "the certificate has expired", Evidence("certificate", str(certificate), look),
            hint="The gateway does not look at the clock once it has a certificate; every client does.",
        )  # fmt: skip
    if not certificate.is_for(HOST):
        return wrong(
            "tls-name", f"the certificate is not for {HOST}", Evidence("certificate", str(certificate), look),
            hint="A client compares the name that it asks for with the names in the certificate.",
        )  # fmt: skip
    return None


def _not_passed(gateway: JsonObject) -> Verdict | None:
    listener = _listener(gateway, "TLS", PRIVATE)
    if listener is None:
        return not_yet(
            "passthrough-listener", f"no listener takes TLS for {PRIVATE}", _listeners(gateway),
            hint="HTTPS is read by the gateway. Which protocol is for what it shall not read?",
        )  # fmt: skip
    mode = (listener.get("tls") or {}).get("mode", "Terminate")
    if mode != "Passthrough":
        return wrong(
            "passthrough-mode", f"the listener {listener['name']} ends TLS itself",
            Evidence("tls.mode", mode, _LOOK),
            hint="A listener for TLS has a mode: it says who ends it.",
        )  # fmt: skip
    return None


def _shown(scene: Scene, step: str, host: str, secret: str, because: str) -> Verdict:
    if not scene.address:
        return common.waits(step, ["gateway"])
    address = scene.address
    shown, kept = tls.shown(scene.lab.bastion, address, host), _certificate(scene, secret)
    seen = Evidence(
        "certificates", f"shown for {host}: {shown or 'none'}\nin the Secret {secret}: {kept or 'none'}",
        f"openssl s_client -connect {address}:{tls.PORT} -servername {host} < /dev/null",
    )  # fmt: skip
    if shown is None:
        return not_yet(
            f"{step}-closed", f"no certificate is shown for {host}", seen,
            hint="Is what ends TLS there: the listener's configuration in Envoy, or the pod?",
        )  # fmt: skip
    if kept is not None and shown != kept:
        return not_yet(
            f"{step}-other-certificate", "another certificate is shown than the Secret holds", seen,
            hint="A gateway takes up a changed Secret in a moment; a program in a pod may have to be restarted.",
        )  # fmt: skip
    return done(because, seen)
