"""The diagrams of the deck *Migration*."""

from __future__ import annotations

from calico_lab.views.diagrams import graph, grid, timeline
from calico_lab.views.diagrams.diagram import Diagram
from calico_lab.views.diagrams.graph import Arrow, Box, Layout


def retirement() -> Diagram:
    """Draw how ingress-nginx came to its end."""
    events = (
        ("November 2025", ("its end is", "announced")),
        ("January 2026", ("a second warning:", "half of all are", "affected")),
        ("March 2026", ("retired: no release,", "no fix, no patch", "any more")),
        ("since then", ("what runs goes on,", "unmended")),
    )
    text = "; ".join(f"{when}: {' '.join(lines)}" for when, lines in events)
    return timeline.draw(text, events)


def stays() -> Diagram:
    """Draw what has ended and what has not."""
    rows = (
        ("the controller ingress-nginx", "retired", "replace it"),
        ("the API Ingress", "stays, frozen", "nothing new will come"),
        ("other Ingress controllers", "stay", "read other annotations"),
        ("your Services and pods", "as they are", "are not touched"),
        ("the Gateway API", "grows", "go there"),
    )
    text = "; ".join(f"{what}: {state}, {so}" for what, state, so in rows)
    return grid.draw(text, ("what", "is", "so"), rows, (1.7, 1.1, 1.5))


def plan() -> Diagram:
    """Draw the five steps, each of which can be undone."""
    boxes = {
        "look": Box(0, 0, ("1. look", "what is there?"), "control"),
        "convert": Box(1, 0, ("2. convert", "and read remarks"), "control"),
        "both": Box(2, 0, ("3. run both", "ask both"), "envoy"),
        "shift": Box(3, 0, ("4. shift", "part by part"), "envoy"),
        "remove": Box(4, 0, ("5. remove", "when it is quiet"), "control"),
        "back": Box(3, 1, ("roll back", "the old one runs"), "pod"),
    }
    arrows = [
        Arrow("look", "convert"), Arrow("convert", "both"), Arrow("both", "shift"), Arrow("shift", "remove"),
        Arrow("shift", "back"),
    ]  # fmt: skip
    text = "Look, convert, run both, shift, remove. While you shift, rolling back is possible: the old one still runs."
    return graph.draw(text, Layout(5, 2, gap=22), boxes, arrows)


def mapping() -> Diagram:
    """Draw which field becomes which."""
    pairs = (
        ("ingressClassName", "Gateway: gatewayClassName"),
        ("rules[].host", "HTTPRoute: hostnames"),
        ("paths[].path, pathType", "HTTPRoute: matches[].path"),
        ("paths[].backend", "HTTPRoute: backendRefs"),
        ("tls[].secretName", "HTTPS listener: certificateRefs"),
        ("defaultBackend", "HTTPRoute without hostnames"),
        ("annotations", "filters, weights, policies, or nothing"),
    )
    boxes, arrows = {}, []
    for row, (ingress, gateway) in enumerate(pairs):
        boxes[f"from{row}"] = Box(0, row, (ingress,), "card")
        boxes[f"to{row}"] = Box(1, row, (gateway,), "control off" if ingress == "annotations" else "envoy")
        arrows.append(Arrow(f"from{row}", f"to{row}"))
    text = "; ".join(f"{ingress} becomes {gateway}" for ingress, gateway in pairs)
    return graph.draw(text, Layout(2, 7, row_height=32, gap=56), boxes, arrows)


def defaults() -> Diagram:
    """Draw what nobody has written down: the defaults of the one and of the other."""
    rows = (
        ("how long a pod may take", "60 s between two reads", "15 s for the whole answer"),
        ("how large a body may be", "1 MB", "without limit"),
        ("whose turn it is", "round robin", "least request"),
        ("HTTP, where there is TLS", "308 to HTTPS", "answered as well"),
        ("a pod that refuses", "the next one is tried", "503"),
        ("a path as an expression", "its beginning, in any case", "all of it, as written"),
    )
    text = "; ".join(f"{what}: ingress-nginx {nginx}, Envoy Gateway {envoy}" for what, nginx, envoy in rows)
    return grid.draw(text, ("when nothing is said", "ingress-nginx", "Envoy Gateway"), rows, (1.5, 1.5, 1.5))


def side_by_side() -> Diagram:
    """Draw two ways in, to the same Services."""
    boxes = {
        "clients": Box(0, 0.5, ("clients", "by DNS"), "host"),
        "old": Box(1, 0, ("Ingress controller", "10.10.10.0", "reads Ingresses"), "control"),
        "new": Box(1, 1, ("Gateway", "10.10.10.1", "reads HTTPRoutes"), "envoy"),
        "service": Box(2, 0.5, ("the same Service", "the same pods"), "pod"),
    }
    arrows = [
        Arrow("clients", "old", kind="request"), Arrow("clients", "new", kind="back"),
        Arrow("old", "service"), Arrow("new", "service"),
    ]  # fmt: skip
    text = "Two addresses, two ways in, and behind both the same Service with the same pods."
    return graph.draw(text, Layout(3, 2, row_height=84), boxes, arrows)


def switches() -> Diagram:
    """Draw the places at which traffic can be shifted."""
    rows = (
        ("DNS, with weights", "a part of the clients", "minutes: its time to live"),
        ("the load balancer before both", "a part of the connections", "at once"),
        ("the Gateway, before the old one", "a path, a header, a weight", "at once"),
        ("the address itself", "everybody", "at once"),
    )
    text = "; ".join(f"{where} shifts {what}, and back within {back}" for where, what, back in rows)
    return grid.draw(text, ("where", "shifts", "and back"), rows, (1.6, 1.4, 1.4))


def watch() -> Diagram:
    """Draw what to watch while shifting."""
    rows = (
        ("is each route accepted?", "status of HTTPRoute", "Accepted, ResolvedRefs"),
        ("does anybody get 404?", "Envoy's access log", "route_not_found"),
        ("are there more 5xx than before?", "Envoy's statistics", "downstream_rq_5xx"),
        ("is it slower?", "both access logs", "duration"),
        ("who still uses the old one?", "its access log", "empty for a week"),
    )
    text = "; ".join(f"{question} Look at {where}: {what}" for question, where, what in rows)
    return grid.draw(text, ("the question", "look at", "for"), rows, (1.7, 1.3, 1.3))
