"""The diagrams of the deck *Introduction*."""

from __future__ import annotations

from calico_lab.views.diagrams import graph, grid
from calico_lab.views.diagrams.diagram import Diagram
from calico_lab.views.diagrams.graph import Arrow, Box, Frame, Layout


def pods_come_and_go() -> Diagram:
    """Draw a client that has kept the address of a pod, and the pod that has come in its place."""
    boxes = {
        "client": Box(0, 1, ("client", "remembers 10.48.1.7"), "host"),
        "gone": Box(2, 0, ("10.48.1.7", "gone"), "pod off"),
        "new": Box(2, 1, ("10.48.2.9", "came in its place"), "pod"),
        "third": Box(2, 2, ("10.48.1.8", "has not changed"), "pod"),
    }
    text = "A client that has kept a pod's address: the pod is gone, and the one in its place has another address."
    return graph.draw(text, Layout(3, 3), boxes, [Arrow("client", "gone", "no answer", "bgp off")])


def service_types() -> Diagram:
    """Draw the three types of Service, each built on the one before."""
    boxes = {
        "outside": Box(0, 0, ("outside", "any client"), "host"),
        "node": Box(0, 1, ("next to a node", "who knows a node"), "host"),
        "inside": Box(0, 2, ("inside", "another pod"), "host"),
        "balancer": Box(1, 0, ("LoadBalancer", "an address of its own"), "control"),
        "port": Box(1, 1, ("NodePort", "a port at every node"), "control"),
        "cluster": Box(1, 2, ("ClusterIP", "an address in the cluster"), "control"),
        "pods": Box(2, 1, ("pods", "those that are ready"), "pod"),
    }
    arrows = [
        Arrow("outside", "balancer", kind="request"), Arrow("node", "port", kind="request"),
        Arrow("inside", "cluster", kind="request"), Arrow("balancer", "pods"), Arrow("port", "pods"),
        Arrow("cluster", "pods"),
    ]  # fmt: skip
    text = (
        "Three types of Service: ClusterIP, an address in the cluster; NodePort, also a port at every node; "
        "LoadBalancer, also an address of its own outside. All three lead to the pods that are ready."
    )
    return graph.draw(text, Layout(3, 3), boxes, arrows)


def connection() -> Diagram:
    """Draw how a Service deals out connections, and a gateway requests."""
    boxes = {
        "client": Box(0, 0.5, ("client", "one connection,", "three requests"), "host", rows=2),
        "kernel": Box(1, 0.5, ("Service", "chooses once,", "by the first packet"), "control", rows=2),
        "pod1": Box(2, 0, ("pod: 3 requests",), "pod"),
        "pod2": Box(2, 1, ("pod: none",), "pod"),
        "pod3": Box(2, 2, ("pod: none",), "pod"),
        "client2": Box(0, 4, ("client", "one connection,", "three requests"), "host", rows=2),
        "envoy": Box(1, 4, ("gateway", "chooses for", "each request"), "envoy", rows=2),
        "pod4": Box(2, 3.5, ("pod: 1 request",), "pod"),
        "pod5": Box(2, 4.5, ("pod: 1 request",), "pod"),
        "pod6": Box(2, 5.5, ("pod: 1 request",), "pod"),
    }
    arrows = [
        Arrow("client", "kernel", kind="request"), Arrow("kernel", "pod1"),
        Arrow("client2", "envoy", kind="request"), *(Arrow("envoy", f"pod{number}") for number in (4, 5, 6)),
    ]  # fmt: skip
    text = (
        "A Service chooses a pod once for a connection, so one pod gets all three requests; "
        "a gateway chooses for each request, so each pod gets one."
    )
    return graph.draw(text, Layout(3, 6.5, row_height=36), boxes, arrows)


def ingress() -> Diagram:
    """Draw what an Ingress describes."""
    boxes = {
        "client": Box(0, 0.5, ("client",), "host"),
        "controller": Box(1, 0.5, ("Ingress controller", "reads the rules"), "envoy"),
        "shop": Box(2, 0, ("Service shop", "example.com/"), "pod"),
        "api": Box(2, 1, ("Service api", "example.com/api"), "pod"),
    }
    arrows = [
        Arrow("client", "controller", "one address", "request"),
        Arrow("controller", "shop"), Arrow("controller", "api"),
    ]  # fmt: skip
    text = "One address for many Services: an Ingress controller chooses by host and path."
    return graph.draw(text, Layout(3, 2, gap=110), boxes, arrows)


def strings() -> Diagram:
    """Draw who reads what stands in annotations."""
    boxes = {
        "ingress": Box(0, 1, ("Ingress", "host and path", "+ 20 annotations"), rows=1),
        "api": Box(1.1, 0, ("API server", "takes any string"), "control", columns=1.9),
        "nginx": Box(1.1, 1, ("controller A", "reads those with its own prefix"), "control", columns=1.9),
        "other": Box(1.1, 2, ("controller B", "passes over them, says nothing"), "control off", columns=1.9),
    }
    arrows = [Arrow("ingress", "api"), Arrow("ingress", "nginx"), Arrow("ingress", "other", kind="bgp off")]
    text = "Annotations are strings: the API server takes any, one controller reads its own, another passes over them."
    return graph.draw(text, Layout(3, 3), boxes, arrows)


def roles() -> Diagram:
    """Draw the roles that the Gateway API tells apart, and the one object of Ingress."""
    boxes = {
        "provider": Box(0, 0, ("infrastructure provider", "which gateways there are"), "words"),
        "operator": Box(0, 1, ("cluster operator", "where traffic may come in"), "words"),
        "developer": Box(0, 2, ("application developer", "where it goes"), "words"),
        "class": Box(1, 0, ("GatewayClass",), "control"),
        "gateway": Box(1, 1, ("Gateway", "ports, hosts, certificates"), "envoy"),
        "route": Box(1, 2, ("HTTPRoute", "paths, weights, filters"), "pod"),
        "ingressclass": Box(2, 0, ("IngressClass",), "control"),
        "ingress": Box(2, 1, ("Ingress", "hosts, certificates,", "paths, annotations:", "all in one object"), rows=2),
    }
    arrows = [Arrow("route", "gateway"), Arrow("gateway", "class"), Arrow("ingress", "ingressclass")]
    text = (
        "Three roles: the infrastructure provider has GatewayClass, the cluster operator Gateway, the application "
        "developer HTTPRoute. With Ingress there is IngressClass, and one object for all the rest."
    )
    return graph.draw(text, Layout(3, 3, gap=40), boxes, arrows)


def compared() -> Diagram:
    """Draw what stands in either API itself, without annotations and kinds of one vendor."""
    rows = (
        ("host and path, TLS that ends there", True, True),
        ("header, method, query", False, True),
        ("weights", False, True),
        ("redirect, rewrite, headers, mirror", False, True),
        ("gRPC, TCP, TLS that passes through", False, True),
        ("ports of your own choice", False, True),
        ("from another namespace, with a grant", False, True),
        ("status: what came of each route", False, True),
    )
    text = "Of eight things that a way in needs, Ingress has the first in its API, the Gateway API has all."
    return grid.draw(text, ("in the API itself", "Ingress", "Gateway API"), rows, (5, 1.4, 1.6))


def product() -> Diagram:
    """Draw the parts of Calico Ingress Gateway and who makes which."""
    boxes = {
        "api": Box(0, 0, ("GatewayAPI", "you apply it, once")),
        "operator": Box(1, 0, ("Tigera operator", "installs"), "control"),
        "eg": Box(2, 0, ("Envoy Gateway", "and its GatewayClass"), "control"),
        "gateway": Box(0, 1.5, ("Gateway", "you apply it")),
        "envoy": Box(2, 1.5, ("Envoy", "and a LoadBalancer Service"), "envoy"),
        "calico": Box(1, 3, ("Calico", "address from a pool"), "control"),
        "bgp": Box(2, 3, ("BGP", "the way to the address"), "control"),
    }
    arrows = [
        Arrow("api", "operator"), Arrow("operator", "eg"), Arrow("gateway", "envoy", "Envoy Gateway makes"),
        Arrow("eg", "envoy"), Arrow("envoy", "bgp"), Arrow("calico", "bgp"),
    ]  # fmt: skip
    text = (
        "You apply GatewayAPI once; the Tigera operator installs Envoy Gateway and its class. You apply a Gateway; "
        "Envoy Gateway makes an Envoy and a Service; Calico gives an address and tells the way to it by BGP."
    )
    return graph.draw(text, Layout(3, 4, row_height=64), boxes, arrows)


def translation() -> Diagram:
    """Draw which object becomes which part of Envoy's configuration."""
    pairs = (
        ("Gateway", "its listeners", "listener", "takes connections"),
        ("HTTPRoute", "its matches", "route", "chooses a cluster"),
        ("HTTPRoute", "its backendRefs", "cluster", "those who answer"),
        ("EndpointSlice", "the pods that are ready", "endpoints", "address and port"),
        ("BackendTrafficPolicy", "its loadBalancer", "policy", "whose turn it is"),
    )
    boxes, arrows = {}, []
    for row, (kind, what, part, does) in enumerate(pairs):
        boxes[f"from{row}"] = Box(0, row, (kind, what), "card")
        boxes[f"to{row}"] = Box(1, row, (part, does), "envoy")
        arrows.append(Arrow(f"from{row}", f"to{row}"))
    text = "; ".join(f"{kind}, {what}, becomes Envoy's {part}" for kind, what, part, _does in pairs)
    return graph.draw(text, Layout(2, 5, row_height=52, gap=160), boxes, arrows)


def whole_way() -> Diagram:
    """Draw the way in that the deck goes: from a client to a pod."""
    boxes = {
        "client": Box(0, 0, ("client",), "host"),
        "route": Box(1, 0, ("network", "a route, by BGP"), "control"),
        "envoy": Box(2, 0, ("Envoy", "reads the request"), "envoy"),
        "pod": Box(3, 0, ("pod", "answers"), "pod"),
    }
    arrows = [
        Arrow("client", "route", kind="request"), Arrow("route", "envoy", kind="request"), Arrow("envoy", "pod"),
    ]  # fmt: skip
    text = "From a client over the network to Envoy, and from Envoy to a pod."
    layout = Layout(4, 1, gap=46, top=36, margin=16)
    return graph.draw(text, layout, boxes, arrows, [Frame("the cluster", ("envoy", "pod"))])
