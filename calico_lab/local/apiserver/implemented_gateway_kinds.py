"""What the lab acts on of the kinds of the Gateway API and of Envoy Gateway, in the form of ``implemented.py``."""

from __future__ import annotations

from calico_lab.local.custom_resources import ENVOY_GROUP, GATEWAY_GROUP

_CONNECTION_ROUTE = """
spec.parentRefs
spec.rules[].backendRefs[].group
spec.rules[].backendRefs[].kind
spec.rules[].backendRefs[].name
spec.rules[].backendRefs[].namespace
spec.rules[].backendRefs[].port
spec.rules[].backendRefs[].weight
spec.rules[].name
"""


_TARGETS = """
spec.targetRef.group
spec.targetRef.kind
spec.targetRef.name
spec.targetRefs[].group
spec.targetRefs[].kind
spec.targetRefs[].name
spec.targetSelectors
"""


def _filters(place: str, *kinds: str) -> str:
    """Return the lines for filters of these kinds. In a header's value, % would begin a command of Envoy's."""
    lines = ""
    for kind in kinds:
        field = f"{place}.filters[].{kind[0].lower()}{kind[1:]}"
        if kind == "RequestMirror":
            lines += f"{field}\n"
            continue
        lines += f"{field}.remove\n"
        lines += "".join(f"{field}.{verb}[].name\n{field}.{verb}[].value = [^%]*\n" for verb in ("add", "set"))
    return lines


_HTTP_ROUTE = (
    _CONNECTION_ROUTE
    + """
spec.hostnames
spec.rules[].backendRefs[].filters[].type = (Request|Response)HeaderModifier
spec.rules[].matches
"""
    + _filters("spec.rules[].backendRefs[]", "RequestHeaderModifier", "ResponseHeaderModifier")
)

GATEWAY_KINDS = {
    (ENVOY_GROUP, "Backend"): """
spec.appProtocols[] = gateway\\.envoyproxy\\.io/h2c
spec.endpoints[].fqdn
spec.endpoints[].hostname
spec.endpoints[].ip.address = [^:]*
spec.endpoints[].ip.port
spec.fallback
spec.type = Endpoints
""",
    (ENVOY_GROUP, "BackendTrafficPolicy"): _TARGETS
    + """
spec.circuitBreaker
spec.healthCheck.active.healthyThreshold
spec.healthCheck.active.http
spec.healthCheck.active.initialJitter
spec.healthCheck.active.interval
spec.healthCheck.active.tcp
spec.healthCheck.active.timeout
spec.healthCheck.active.type = HTTP|TCP
spec.healthCheck.active.unhealthyThreshold
spec.healthCheck.panicThreshold
spec.healthCheck.passive
spec.loadBalancer.consistentHash
spec.loadBalancer.slowStart
spec.loadBalancer.type
spec.mergeType = JSONMerge|StrategicMerge
spec.rateLimit.local.rules[].clientSelectors
spec.rateLimit.local.rules[].limit
spec.rateLimit.type = Local
spec.retry
spec.timeout
""",
    (ENVOY_GROUP, "SecurityPolicy"): _TARGETS
    + """
spec.basicAuth
""",
    (ENVOY_GROUP, "EnvoyProxy"): """
spec.concurrency
spec.logging.level.default = warn
spec.provider.kubernetes.envoyDeployment.container.image
spec.provider.kubernetes.envoyDeployment.replicas
spec.provider.type = Kubernetes
""",
    # Protocols that Envoy Gateway itself doesn't know pass: it says so in a condition.
    (GATEWAY_GROUP, "Gateway"): """
spec.gatewayClassName
spec.infrastructure.parametersRef
spec.listeners[].allowedRoutes
spec.listeners[].hostname
spec.listeners[].name
spec.listeners[].port
spec.listeners[].protocol = (?!UDP$).*
spec.listeners[].tls.certificateRefs
spec.listeners[].tls.mode
""",
    (GATEWAY_GROUP, "TCPRoute"): _CONNECTION_ROUTE,
    (GATEWAY_GROUP, "TLSRoute"): _CONNECTION_ROUTE
    + """
spec.hostnames
""",
    (GATEWAY_GROUP, "HTTPRoute"): _HTTP_ROUTE
    + _filters("spec.rules[]", "RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror")
    + """
spec.rules[].filters[].requestRedirect
spec.rules[].filters[].type = (Request|Response)HeaderModifier|RequestMirror|RequestRedirect|URLRewrite
spec.rules[].filters[].urlRewrite
spec.rules[].retry.attempts = \\d+
spec.rules[].retry.backoff = .*[1-9].*
spec.rules[].retry.codes
spec.rules[].sessionPersistence
spec.rules[].timeouts
""",
    # Envoy Gateway 1.5 has no sessions for GRPCRoutes: it passes over the field.
    (GATEWAY_GROUP, "GRPCRoute"): _HTTP_ROUTE
    + _filters("spec.rules[]", "RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror")
    + """
spec.rules[].filters[].type = (Request|Response)HeaderModifier|RequestMirror
""",
}
