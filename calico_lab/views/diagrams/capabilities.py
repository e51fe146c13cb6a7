"""The diagrams of the deck *Capabilities*."""

from __future__ import annotations

from calico_lab.views.diagrams import graph, grid
from calico_lab.views.diagrams.diagram import Diagram
from calico_lab.views.diagrams.graph import Arrow, Box, Frame, Layout


def areas() -> Diagram:
    """Draw what the deck is about, and where each of it is written."""
    rows = (
        ("routing", "HTTPRoute: matches, filters"),
        ("splitting", "HTTPRoute: weights"),
        ("load balancing", "BackendTrafficPolicy: loadBalancer"),
        ("resilience", "BackendTrafficPolicy: timeout, retry, circuitBreaker"),
        ("security", "SecurityPolicy; BackendTrafficPolicy: rateLimit"),
        ("TLS and TCP", "Gateway: listeners; TLSRoute, TCPRoute"),
        ("observability", "status, Envoy's statistics, access log"),
    )
    text = "; ".join(f"{what} is written in {where}" for what, where in rows)
    return grid.draw(text, ("what", "where it is written"), rows, (1.3, 3))


def precedence() -> Diagram:
    """Draw which rule wins when several match."""
    rows = (
        ("1", "the hostname", "www.example.com before *.example.com"),
        ("2", "the path, exact", "/shop alone"),
        ("3", "the path, longest prefix", "/shop/cart before /shop"),
        ("4", "the method", "POST before any"),
        ("5", "most headers", "two before one"),
        ("6", "most query parameters", "two before one"),
        ("7", "the oldest route", "then the first by name"),
    )
    text = "Which rule wins: " + ", then ".join(what for _, what, _ in rows)
    return grid.draw(text, ("", "first by", "so that"), rows, (0.3, 1.6, 2.3))


def filters() -> Diagram:
    """Draw what a rule may do with a request before it is sent on."""
    boxes = {
        "in": Box(0, 1, ("request",), "host"),
        "headers": Box(1, 0, ("headers", "set, add, remove"), "control"),
        "rewrite": Box(1, 1, ("rewrite", "host or path"), "control"),
        "mirror": Box(1, 2, ("mirror", "a copy, answer unread"), "control"),
        "redirect": Box(1, 3, ("redirect", "answered by Envoy"), "control"),
        "pod": Box(2, 0.5, ("pod", "gets the request"), "pod"),
        "copy": Box(2, 2, ("another pod", "gets the copy"), "pod"),
        "back": Box(2, 3, ("client", "asks elsewhere"), "host"),
    }
    arrows = [
        *(Arrow("in", name, kind="request") for name in ("headers", "rewrite", "mirror", "redirect")),
        Arrow("headers", "pod"), Arrow("rewrite", "pod"), Arrow("mirror", "copy"), Arrow("redirect", "back"),
    ]  # fmt: skip
    text = "Filters of a rule: headers and rewrites change a request, a mirror copies it, a redirect answers it."
    return graph.draw(text, Layout(3, 4, row_height=62), boxes, arrows)


def split() -> Diagram:
    """Draw how weights divide requests between two versions."""
    boxes = {
        "client": Box(0, 0.5, ("100 requests",), "host"),
        "envoy": Box(1, 0.5, ("Envoy", "draws for each"), "envoy"),
        "v1": Box(2, 0, ("version 1", "weight 90"), "pod"),
        "v2": Box(2, 1, ("version 2", "weight 10"), "pod"),
    }
    arrows = [
        Arrow("client", "envoy", kind="request"), Arrow("envoy", "v1", "about 90"), Arrow("envoy", "v2", "about 10"),
    ]  # fmt: skip
    text = "For each request Envoy draws a version by its weight: about 90 of 100 to version 1, about 10 to version 2."
    return graph.draw(text, Layout(3, 2, gap=110), boxes, arrows)


def algorithms() -> Diagram:
    """Draw the four algorithms: how each chooses, and what for."""
    rows = (
        ("RoundRobin", "whose turn it is", "pods that are alike"),
        ("LeastRequest", "the less busy of two drawn", "slow and fast pods (the default)"),
        ("Random", "anybody", "very many clients"),
        ("ConsistentHash", "always the same for a key", "caches, sessions"),
    )
    text = "; ".join(f"{name} takes {how}, for {purpose}" for name, how, purpose in rows)
    return grid.draw(text, ("type", "takes", "for"), rows, (1.2, 1.8, 2))


def troubles() -> Diagram:
    """Draw what can go wrong between Envoy and a pod, and what helps."""
    rows = (
        ("a pod that does not answer", "timeout", "the client waits no longer"),
        ("a pod that fails now and then", "retry", "another try, at another pod"),
        ("too many requests at once", "circuitBreaker", "503 at once, not a long queue"),
        ("a pod that is not well", "healthCheck", "it is asked no more"),
        ("a pod that has just started", "slowStart", "first few requests, then more"),
        ("a whole Service that is gone", "fallback", "another Service answers"),
    )
    text = "; ".join(f"{trouble}: {what}, {so}" for trouble, what, so in rows)
    return grid.draw(text, ("trouble", "what helps", "so that"), rows, (1.9, 1.1, 2))


def guards() -> Diagram:
    """Draw what a request has to pass before it reaches a pod."""
    boxes = {
        "client": Box(0, 0, ("client",), "host"),
        "tls": Box(1, 0, ("TLS", "nobody listens in"), "control"),
        "who": Box(2, 0, ("who are you?", "SecurityPolicy"), "envoy"),
        "much": Box(3, 0, ("how often?", "rateLimit"), "envoy"),
        "pod": Box(4, 0, ("pod",), "pod"),
        "no": Box(2, 1, ("401",), "control off"),
        "toomuch": Box(3, 1, ("429",), "control off"),
    }
    arrows = [
        Arrow("client", "tls", kind="request"), Arrow("tls", "who", kind="request"),
        Arrow("who", "much", kind="request"), Arrow("much", "pod"), Arrow("who", "no", kind="bgp off"),
        Arrow("much", "toomuch", kind="bgp off"),
    ]  # fmt: skip
    text = "A request passes TLS, then who asks (or 401), then how often (or 429), before it reaches a pod."
    return graph.draw(text, Layout(5, 2, gap=26), boxes, arrows)


def layers() -> Diagram:
    """Draw who reads what: TLS that ends at the gateway, TLS that passes through, plain TCP."""
    boxes, arrows = {}, []
    rows = (
        ("terminate", "HTTPS listener", "has the key, reads requests", "gets plain HTTP"),
        ("passthrough", "TLS listener", "reads the name only (SNI)", "has the key"),
        ("tcp", "TCP listener", "reads nothing", "gets what was sent"),
    )
    for row, (name, listener, reads, gets) in enumerate(rows):
        boxes[f"{name} client"] = Box(0, row, ("client",), "host")
        boxes[name] = Box(1, row, (listener, reads), "envoy")
        boxes[f"{name} pod"] = Box(2, row, ("pod", gets), "pod")
        arrows += [Arrow(f"{name} client", name, kind="request"), Arrow(name, f"{name} pod")]
    text = "; ".join(f"{listener}: the gateway {reads}, the pod {gets}" for _, listener, reads, gets in rows)
    return graph.draw(text, Layout(3, 3), boxes, arrows)


def witnesses() -> Diagram:
    """Draw where one can look, and what is told there."""
    boxes = {
        "status": Box(0, 0, ("status", "was it understood?"), "control"),
        "envoy": Box(1, 0, ("Envoy's statistics", "how many, how well?"), "envoy"),
        "log": Box(2, 0, ("access log", "what of this request?"), "envoy"),
        "object": Box(0, 1, ("Gateway, route, policy",)),
        "counters": Box(1, 1, ("counters, by cluster",)),
        "line": Box(2, 1, ("a line for each",)),
    }
    arrows = [Arrow("object", "status"), Arrow("counters", "envoy"), Arrow("line", "log")]
    frames = [Frame("Kubernetes API", ("object", "status")), Frame("Envoy", ("counters", "line", "envoy", "log"))]
    text = "Status: was it understood? Envoy's statistics: how many, how well? Access log: what became of one request?"
    return graph.draw(text, Layout(3, 2, gap=44, top=38, margin=16), boxes, arrows, frames)


def further() -> Diagram:
    """Draw what the product can do, and whether the lab can show it."""
    rows = (
        ("routing, weights, filters, mirrors", True),
        ("four algorithms, slow start, health checks, fallback", True),
        ("timeouts, retries, circuit breakers, local rate limits", True),
        ("passwords, TLS, TLS that passes through, TCP, gRPC", True),
        ("JWT, OpenID Connect, API keys, client certificates", False),
        ("one rate limit for all Envoys together", False),
        ("fault injection, compression, WAF", False),
    )
    text = "In the lab: " + "; ".join(what for what, here in rows if here)
    text += ". Only in the product: " + "; ".join(what for what, here in rows if not here)
    return grid.draw(text, ("what", "in this lab"), rows, (4, 1))
