"""The lesson on Ingress: an Ingress that a controller serves, its conversion, and the old that is taken away."""

from __future__ import annotations

from calico_lab import conditions
from calico_lab.lessons.checks import common
from calico_lab.lessons.checks.scene import JsonObject, Scene
from calico_lab.lessons.checks.verdict import Evidence, Verdict, done, first, not_yet, wrong

INGRESS, CANARY, CONTROLLER, GATEWAY = "shop", "shop-canary", "traefik", "shop"
HOST = "shop.example.com"
# The controller that reads ingress-nginx's annotations answers to ingress-nginx's own name.
READS = "k8s.io/ingress-nginx"
# What of the old way in is to go at the end; its class and roles belong to the whole cluster.
OLD = (
    ("Ingress", INGRESS),
    ("Ingress", CANARY),
    ("Deployment", CONTROLLER),
    ("Service", CONTROLLER),
)
_LOOK = f"kubectl get ingress {INGRESS} -o yaml"


def check_ingress(scene: Scene) -> Verdict:
    """Whether the lesson's Ingress has a class that somebody serves, Services that there are, and an address."""
    ingress = scene.find("Ingress", INGRESS)
    if ingress is None:
        return not_yet(
            "ingress-missing", f"there is no Ingress {INGRESS}",
            Evidence("Ingresses", _names(scene.objects("Ingress")), "kubectl get ingress"),
            hint="The lesson applies it with the Host that it asks for.",
        )  # fmt: skip
    return first(
        lambda: _class_wrong(scene, ingress),
        lambda: _backend_wrong(scene, ingress),
        lambda: _controller_missing(scene),
        lambda: _address(ingress),
    )


def _class_wrong(scene: Scene, ingress: JsonObject) -> Verdict | None:
    name = ingress["spec"].get("ingressClassName")
    classes = {each["metadata"]["name"]: each["spec"]["controller"] for each in scene.objects("IngressClass")}
    seen = Evidence("IngressClasses", _listed(classes), "kubectl get ingressclasses")
    if name not in classes:
        return wrong(
            "ingress-class", f"its class, {name or 'none'}, is none that there is",
            Evidence("ingressClassName", name or "none", _LOOK), seen,
            hint="An Ingress of no class, or of an unknown one, is read by nobody, and nobody complains.",
        )  # fmt: skip
    if classes[name] != READS:
        return wrong(
            "ingress-other-controller", f"the controller of its class, {classes[name]}, does not read its annotations",
            Evidence("ingressClassName", name, _LOOK), seen,
            hint="Whose language are the annotations? The class must be one whose controller understands it.",
        )  # fmt: skip
    return None


def _backend_wrong(scene: Scene, ingress: JsonObject) -> Verdict | None:
    services = {service["metadata"]["name"]: service for service in scene.objects("Service")}
    paths = [path for rule in ingress["spec"].get("rules") or () for path in rule["http"]["paths"]]
    for named in (path["backend"]["service"] for path in paths):
        ports = services.get(named["name"], {"spec": {}})["spec"].get("ports") or []
        wanted = set(named["port"].values())
        if not any(wanted & {port["port"], port.get("name")} for port in ports):
            return wrong(
                "ingress-backend", f"there is no Service {named['name']} with the port that the Ingress names",
                Evidence("Services", _names(list(services.values())), "kubectl get services"),
                Evidence("backend of the Ingress", f"{named['name']} {', '.join(map(str, wanted))}", _LOOK),
                hint="The API server takes any name, and an Ingress has no conditions. Compare letter by letter.",
            )  # fmt: skip
    return None


def _controller_missing(scene: Scene) -> Verdict | None:
    deployment = scene.find("Deployment", CONTROLLER)
    ready = (deployment or {}).get("status", {}).get("readyReplicas", 0)
    if ready:
        return None
    return not_yet(
        "ingress-no-controller", "no Ingress controller runs",
        Evidence(f"Deployment {CONTROLLER}", f"{ready} ready" if deployment else "none", "kubectl get deployments"),
        hint="An Ingress alone does nothing: it is a wish that a controller has to read.",
    )  # fmt: skip


def _address(ingress: JsonObject) -> Verdict:
    entries = ingress.get("status", {}).get("loadBalancer", {}).get("ingress") or []
    seen = Evidence("address of the Ingress", ", ".join(each.get("ip", "") for each in entries) or "none", _LOOK)
    if not entries:
        return not_yet(
            "ingress-no-address", "the controller has not written an address into it so far", seen,
            hint="Some seconds are normal. After that: what does the controller's log say?",
        )  # fmt: skip
    return done(f"the Ingress {INGRESS} is served, by whoever reads its class", seen)


def check_conversion(scene: Scene) -> Verdict:
    """Whether a Gateway and routes stand beside the Ingress, for the same host, and are accepted."""
    gateway = scene.find("Gateway", GATEWAY)
    if gateway is None:
        return common.missing(scene, "conversion-gateway", "Gateway", GATEWAY)
    routes = [route for route in scene.objects("HTTPRoute") if HOST in (route["spec"].get("hostnames") or ())]
    seen = Evidence("HTTPRoutes for the host", _names(routes), "kubectl get httproutes")
    if not routes:
        return not_yet(
            "conversion-no-route", f"no HTTPRoute is for {HOST}", seen, common.said(gateway),
            hint="The conversion has a manifest: all of its objects belong together.",
        )  # fmt: skip
    attached = [route for route in routes if any(p["name"] == GATEWAY for p in route["spec"].get("parentRefs") or ())]
    if not attached:
        return wrong(
            "conversion-parent", f"no route for {HOST} hangs at the Gateway {GATEWAY}", seen,
            hint="A route says itself at which Gateway it hangs.",
        )  # fmt: skip
    if not all(conditions.is_true(route, kind) for route in attached for kind in ("Accepted", "ResolvedRefs")):
        return not_yet(
            "conversion-not-accepted", "a route is not accepted, or names what there is not",
            *map(common.said, attached),
            hint="The condition's message says what it stumbled over: an Ingress would have said nothing.",
        )  # fmt: skip
    if not conditions.is_true(gateway, "Programmed"):
        return not_yet(
            "conversion-not-programmed", f"the Gateway {GATEWAY} has no address, or no Envoy", common.said(gateway),
            hint="Some seconds are normal.",
        )  # fmt: skip
    return done(f"the Gateway {GATEWAY} serves {HOST}, beside the Ingress", seen, common.said(gateway))


def check_migrated(scene: Scene) -> Verdict:
    """Whether the old way in is gone, and the new one stands."""
    conversion = scene.verdict("conversion")
    there = [f"{kind} {name}" for kind, name in OLD if scene.find(kind, name) is not None]
    seen = Evidence("of the old way in", "\n".join(there) or "nothing", "kubectl get ingress,deployments,services")
    if not conversion:
        key = "migrated-nothing-serves" if not there else "migrated-waits"
        make = wrong if not there else not_yet
        return make(
            key, "the new way in does not stand", seen, *conversion.evidence,
            hint='First the new, then the old: lab.check("conversion")',
        )  # fmt: skip
    if len(there) == len(OLD):
        return not_yet("migrated-not-begun", "both ways in stand", seen, hint="When nobody asks the old one any more.")
    if there:
        return wrong(
            "migrated-left-over", f"{len(there)} of {len(OLD)} objects of the old way in are left", seen,
            hint="A controller without Ingresses, or Ingresses without a controller, still look like a way in.",
        )  # fmt: skip
    return done("the old way in is gone, and the new one serves", seen, *conversion.evidence)


def _names(items: list[JsonObject]) -> str:
    return ", ".join(item["metadata"]["name"] for item in items) or "none"


def _listed(classes: dict[str, str]) -> str:
    return ", ".join(f"{name} ({controller})" for name, controller in sorted(classes.items())) or "none"
