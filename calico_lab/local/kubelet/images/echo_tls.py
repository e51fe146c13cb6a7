"""HTTPS for echo-basic: HTTP/1.1 or HTTP/2 over TLS, and what the answer says of the connection.

Names are Go's: https://pkg.go.dev/crypto/tls#CipherSuiteName.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import Callable, Mapping
from typing import cast

from calico_lab.local.kubelet.images.echo_answer import EchoRequest, EchoResponse

# Those of TLS 1.2 that Go's server offers; those of TLS 1.3 come on top.
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
_ASKED_FOR = "asked_for"

Answer = Callable[[EchoRequest], EchoResponse]


def server_context(environment: Mapping[str, str]) -> ssl.SSLContext:
    """Return the context for the certificate, key and client authority that the environment names.

    Raises ``OSError`` (``ssl.SSLError`` is one) for files that are not there or hold something else.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(environment["TLS_SERVER_CERT"], environment["TLS_SERVER_PRIVKEY"])
    context.set_ciphers(_CIPHERS)
    context.set_alpn_protocols(["h2", "http/1.1"])
    authorities = environment.get("TLS_CLIENT_CACERTS")
    if authorities:
        context.load_verify_locations(authorities)
        context.verify_mode = ssl.CERT_OPTIONAL
    context.sni_callback = _remember_name
    return context


def _remember_name(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _context: ssl.SSLContext) -> None:
    # Nothing else tells a server later for which name it was asked.
    setattr(connection, _ASKED_FOR, name or "")


class TlsConnection(asyncio.Protocol):
    """A connection whose handshake is done: it becomes one of the protocol agreed on (ALPN)."""

    def __init__(self, answer: Answer, http1: Callable[[Answer], asyncio.Protocol]) -> None:
        self._answer = answer
        self._http1 = http1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand the connection over."""
        connection = transport.get_extra_info("ssl_object")
        facts = tls_facts(connection)

        def answer(request: EchoRequest) -> EchoResponse:
            return self._answer(request._replace(tls=facts))

        protocol: asyncio.Protocol
        if connection.selected_alpn_protocol() == "h2":
            from calico_lab.local.kubelet.images.echo_http2 import Http2Connection

            protocol = Http2Connection(answer)
        else:
            protocol = self._http1(answer)
        cast(asyncio.Transport, transport).set_protocol(protocol)
        protocol.connection_made(transport)


def tls_facts(connection: ssl.SSLObject) -> str:
    """Return what is said of a connection, as the JSON of the answer's field ``tls``."""
    version, cipher = connection.version() or "", (connection.cipher() or ("",))[0]
    certificate = connection.getpeercert(binary_form=True)
    peer = {"peerCertificates": [ssl.DER_cert_to_PEM_cert(certificate)]} if certificate else {}
    protocol = connection.selected_alpn_protocol()
    facts = {
        "version": version,
        **peer,
        "serverName": getattr(connection, _ASKED_FOR, ""),
        **({"negotiatedProtocol": protocol} if protocol else {}),
        "cipherSuite": cipher_suite(cipher),
    }
    return json.dumps(facts, indent=1).replace("\n", "\n ")


def cipher_suite(name: str) -> str:
    """Return Go's name, which is IANA's, of a cipher suite that OpenSSL calls ``name``."""
    if name.startswith("TLS_"):
        return name
    key_exchange, signature, cipher = name.split("-", 2)
    cipher = re.sub(r"AES(\d+)", r"AES_\1", cipher).replace("-", "_")
    digest = "" if "SHA" in cipher else "_SHA256"
    return f"TLS_{key_exchange}_{signature}_WITH_{cipher}{digest}"
