"""Annotations of ingress-nginx that are not converted: what to write by hand, or why there is no equivalent.

By hand is what Envoy Gateway 1.5 has and :func:`convert` does not write, because the annotation alone doesn't tell
enough of it, or because it is a matter of the whole Gateway. Such a reason begins with ``BY_HAND``.
"""

from __future__ import annotations

from calico_lab.lessons.ingress_conversion.remarks import Told, by_hand, left

BY_HAND = "by hand: "
_SNIPPET = "it is nginx's own configuration language, which no other proxy reads: say what it does in words, then look"
_BUFFERS = "it tunes nginx's buffers; Envoy streams, and has others (ClientTrafficPolicy.spec.connection.bufferLimit)"
_CORS = "by hand: SecurityPolicy.spec.cors, or the filter CORS of a later Gateway API"
_EXTERNAL = "by hand: SecurityPolicy.spec.extAuth, which names a Service and not a URL"
_CLIENT_CERTIFICATES = "by hand: ClientTrafficPolicy.spec.tls.clientValidation, which is for a whole listener"
_BACKEND_TLS = "by hand: a BackendTLSPolicy, for the Service and with the authority of its certificate"
_COOKIE = "the session cookie of a route has a name and a lifetime, and no other attributes"
_WEB_FIREWALL = "by hand: EnvoyExtensionPolicy, with a filter from outside: Envoy itself has no ModSecurity"
_MIRROR = "by hand: the filter RequestMirror, which names a Service and not a URL"
_PER_REQUEST_LOG = "by hand: EnvoyProxy.spec.telemetry, for the whole Gateway and not for a route"
_ERRORS = "by hand: BackendTrafficPolicy.spec.responseOverride, with the page's text in place of a Service"

REASONS = {
    "affinity-canary-behavior": "a session belongs to a backend by its cookie, whatever the weights",
    "allowlist-source-range": "by hand: SecurityPolicy.spec.authorization, with the networks as clientCIDRs",
    "auth-always-set-cookie": _EXTERNAL,
    "auth-cache-duration": _EXTERNAL,
    "auth-cache-key": _EXTERNAL,
    "auth-keepalive": _EXTERNAL,
    "auth-method": _EXTERNAL,
    "auth-proxy-set-headers": _EXTERNAL,
    "auth-realm": "Envoy names the requested URL as the realm",
    "auth-request-redirect": _EXTERNAL,
    "auth-response-headers": _EXTERNAL,
    "auth-signin": _EXTERNAL,
    "auth-signin-redirect-param": _EXTERNAL,
    "auth-snippet": _SNIPPET,
    "auth-tls-error-page": _CLIENT_CERTIFICATES,
    "auth-tls-match-cn": _CLIENT_CERTIFICATES,
    "auth-tls-pass-certificate-to-upstream": _CLIENT_CERTIFICATES,
    "auth-tls-secret": _CLIENT_CERTIFICATES,
    "auth-tls-verify-client": _CLIENT_CERTIFICATES,
    "auth-tls-verify-depth": _CLIENT_CERTIFICATES,
    "auth-url": _EXTERNAL,
    "client-body-buffer-size": _BUFFERS,
    "configuration-snippet": _SNIPPET,
    "connection-proxy-header": "the header Connection belongs to each connection, and Envoy writes its own",
    "cors-allow-credentials": _CORS,
    "cors-allow-headers": _CORS,
    "cors-allow-methods": _CORS,
    "cors-allow-origin": _CORS,
    "cors-expose-headers": _CORS,
    "cors-max-age": _CORS,
    "custom-headers": "by hand: a ResponseHeaderModifier with what the ConfigMap holds",
    "custom-http-errors": _ERRORS,
    "default-backend": "by hand: a second backendRef, to a Backend with fallback: true",
    "denylist-source-range": "by hand: SecurityPolicy.spec.authorization, with the networks as clientCIDRs",
    "disable-proxy-intercept-errors": _ERRORS,
    "enable-access-log": _PER_REQUEST_LOG,
    "enable-cors": _CORS,
    "enable-global-auth": "by hand: a SecurityPolicy on the Gateway, which those on routes override",
    "enable-modsecurity": _WEB_FIREWALL,
    "enable-opentelemetry": _PER_REQUEST_LOG,
    "enable-owasp-core-rules": _WEB_FIREWALL,
    "enable-rewrite-log": "Envoy has no such log",
    "from-to-www-redirect": "by hand: a route for the other host with a RequestRedirect",
    "http2-push-preload": "browsers have given up server push, and Envoy has none",
    "limit-allowlist": "a client can be left out of a limit only by a limit of its own",
    "limit-burst-multiplier": "Envoy's limit is a full bucket in each second, without a burst beyond it",
    "limit-connections": "Envoy counts connections of a listener (ClientTrafficPolicy.spec.connection), not a client's",
    "limit-rate": "Envoy Gateway does not slow answers down",
    "limit-rate-after": "Envoy Gateway does not slow answers down",
    "mirror-host": _MIRROR,
    "mirror-request-body": _MIRROR,
    "mirror-target": _MIRROR,
    "modsecurity-snippet": _WEB_FIREWALL,
    "modsecurity-transaction-id": _WEB_FIREWALL,
    "opentelemetry-operation-name": _PER_REQUEST_LOG,
    "opentelemetry-trust-incoming-span": _PER_REQUEST_LOG,
    "preserve-trailing-slash": "Envoy adds no slash to a path and sends no redirect for one",
    "proxy-body-size": "by hand: BackendTrafficPolicy.spec.requestBuffer, which keeps the whole body to measure it",
    "proxy-buffer-size": _BUFFERS,
    "proxy-buffering": _BUFFERS,
    "proxy-buffers-number": _BUFFERS,
    "proxy-busy-buffers-size": _BUFFERS,
    "proxy-cookie-domain": "a ResponseHeaderModifier sets a header, and cannot change a part of one",
    "proxy-cookie-path": "a ResponseHeaderModifier sets a header, and cannot change a part of one",
    "proxy-http-version": "Envoy speaks HTTP/1.1 to a backend, or HTTP/2 where its Service's appProtocol says so",
    "proxy-max-temp-file-size": _BUFFERS,
    "proxy-next-upstream-timeout": "Envoy limits each retry and the whole request, not the time in which it may retry",
    "proxy-redirect-from": "a ResponseHeaderModifier sets a header, and cannot change a part of one",
    "proxy-redirect-to": "a ResponseHeaderModifier sets a header, and cannot change a part of one",
    "proxy-request-buffering": _BUFFERS,
    "proxy-send-timeout": "Envoy has no limit between two writes to a backend; the route's timeout is for all of it",
    "proxy-ssl-ciphers": _BACKEND_TLS,
    "proxy-ssl-name": _BACKEND_TLS,
    "proxy-ssl-protocols": _BACKEND_TLS,
    "proxy-ssl-secret": _BACKEND_TLS,
    "proxy-ssl-server-name": _BACKEND_TLS,
    "proxy-ssl-verify": _BACKEND_TLS,
    "proxy-ssl-verify-depth": _BACKEND_TLS,
    "satisfy": "all that a SecurityPolicy asks for must hold",
    "server-snippet": _SNIPPET,
    "service-upstream": "by hand: EnvoyProxy.spec.routingType, for the whole Gateway",
    "session-cookie-change-on-failure": _COOKIE,
    "session-cookie-conditional-samesite-none": _COOKIE,
    "session-cookie-domain": _COOKIE,
    "session-cookie-path": _COOKIE,
    "session-cookie-samesite": _COOKIE,
    "session-cookie-secure": _COOKIE,
    "ssl-ciphers": "by hand: ClientTrafficPolicy.spec.tls.ciphers, for a whole listener",
    "ssl-passthrough": "by hand: a TLSRoute, and a listener of the mode Passthrough",
    "ssl-prefer-server-ciphers": "Envoy always prefers its own order",
    "stream-snippet": _SNIPPET,
    "upstream-hash-by-subset": "Envoy Gateway hashes over all endpoints",
    "upstream-hash-by-subset-size": "Envoy Gateway hashes over all endpoints",
    "whitelist-source-range": "by hand: SecurityPolicy.spec.authorization, with the networks as clientCIDRs",
    "x-forwarded-prefix": "without rewrite-target it has no effect; with variables in it, no filter can say it",
}


def not_converted(reason: str) -> Told:
    """Return what becomes of an annotation for a reason from this page, or of the same form."""
    return by_hand(reason.removeprefix(BY_HAND)) if reason.startswith(BY_HAND) else left(reason)
