"""The certificates by which Envoys and Envoy Gateway know each other, as upstream's ``certgen`` writes them."""

from __future__ import annotations

import base64

from calico_lab.local.certificate_authority import Authority, Pair
from calico_lab.local.controllers.tigera_gateway import CONTROLLER, CONTROLLER_SECRET, NAMESPACE, PROXY_SECRET
from calico_lab.local.gateway_api.certificates import TLS_SECRET
from calico_lab.local.resources import SECRETS
from calico_lab.local.wire import JsonObject

NAMES = (CONTROLLER_SECRET, PROXY_SECRET)


def secrets() -> list[JsonObject]:
    """Return the Secrets with new certificates of one authority, without owner references."""
    authority = Authority(CONTROLLER)
    names = [CONTROLLER, *(f"{CONTROLLER}.{NAMESPACE}{suffix}" for suffix in ("", ".svc", ".svc.cluster.local"))]
    pairs = {CONTROLLER_SECRET: authority.server(CONTROLLER, names), PROXY_SECRET: authority.client(PROXY_SECRET)}
    return [_secret(name, authority, pair) for name, pair in pairs.items()]


def _secret(name: str, authority: Authority, pair: Pair) -> JsonObject:
    contents = {"ca.crt": authority.certificate, "tls.crt": pair.certificate, "tls.key": pair.key}
    return {
        "apiVersion": SECRETS.api_version,
        "kind": SECRETS.kind,
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"control-plane": CONTROLLER}},
        "type": TLS_SECRET,
        "data": {key: base64.b64encode(text.encode()).decode() for key, text in contents.items()},
    }
