"""TLS of listeners: certificates come as secrets (SDS), so that a listener outlives a change of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from calico_lab.local.envoy.messages import AGGREGATED_DISCOVERY, typed
from calico_lab.local.gateway_api.model import Certificate
from calico_lab.local.wire import JsonObject

HTTP_PROTOCOLS = ("h2", "http/1.1")
HTTP1_PROTOCOLS = ("http/1.1",)


def transport_socket(certificates: Iterable[Certificate], protocols: Sequence[str]) -> JsonObject:
    """Return the socket that terminates TLS, offering these protocols (ALPN), with the certificate that fits a client.

    See https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/security/ssl#certificate-selection.
    """
    secrets = [{"name": each.name, "sds_config": AGGREGATED_DISCOVERY} for each in certificates]
    offered = {"alpn_protocols": list(protocols)} if protocols else {}
    return typed(
        "envoy.transport_sockets.tls",
        "extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        common_tls_context={"tls_certificate_sds_secret_configs": secrets, **offered},
        disable_stateful_session_resumption=True,
        disable_stateless_session_resumption=True,
    )


def tls_inspector() -> JsonObject:
    """Return the listener filter that reads for which name a client asks (SNI)."""
    return typed("envoy.filters.listener.tls_inspector", "extensions.filters.listener.tls_inspector.v3.TlsInspector")


def secret(model: Certificate) -> JsonObject:
    """Return the secret (extensions.transport_sockets.tls.v3.Secret)."""
    return {
        "name": model.name,
        "tls_certificate": {
            "certificate_chain": {"inline_string": model.chain},
            "private_key": {"inline_string": model.private_key},
        },
    }
