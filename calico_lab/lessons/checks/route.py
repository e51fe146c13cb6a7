"""The step route: requests for the guide's host and path go to the backend."""

from __future__ import annotations

from calico_lab import conditions
from calico_lab.lessons.checks import backend, common
from calico_lab.lessons.checks.scene import BACKEND, GATEWAY, HOST, PATH, ROUTE, JsonObject, Scene
from calico_lab.lessons.checks.verdict import Evidence, Verdict, done, first, not_yet, wrong

_LOOK = f"kubectl get httproute {ROUTE} -o yaml"


def check(scene: Scene) -> Verdict:
    """Whether the route hangs at the Gateway, fits the test's request, sends it to the backend, and Envoy knows it."""
    if not scene.serves("HTTPRoute"):
        return common.waits("route", ["gateway-api"])
    route = scene.find("HTTPRoute", ROUTE)
    if route is None:
        return common.missing(scene, "route", "HTTPRoute", ROUTE)
    return first(
        lambda: _parent_wrong(scene, route),
        lambda: _hostname_wrong(route),
        lambda: _path_wrong(route),
        lambda: _backend_wrong(scene, route),
        lambda: _not_accepted(scene, route),
        lambda: _in_envoy(scene, route),
    )


def _parent_wrong(scene: Scene, route: JsonObject) -> Verdict | None:
    parents = route["spec"].get("parentRefs") or []
    seen = Evidence("parentRefs", ", ".join(map(_parent, parents)) or "none", _LOOK)
    ours = [
        each for each in parents
        if each["name"] == GATEWAY and each.get("namespace", scene.namespace) == scene.namespace
        and each.get("kind", "Gateway") == "Gateway"
    ]  # fmt: skip
    if not ours:
        return wrong(
            "route-parent", f"the route does not hang at the Gateway {GATEWAY}", seen,
            hint="A route says itself at which Gateway it hangs. Its status has an entry for each that took it.",
        )  # fmt: skip
    gateway = scene.find("Gateway", GATEWAY)
    names = [each["name"] for each in gateway["spec"]["listeners"]] if gateway else []
    if names and not any(each.get("sectionName", names[0]) in names for each in ours):
        return wrong(
            "route-section", "the route names a listener that the Gateway does not have", seen,
            Evidence(f"listeners of {GATEWAY}", ", ".join(names), f"kubectl get gateway {GATEWAY} -o yaml"),
            hint="A sectionName is the name of one of the Gateway's listeners.",
        )  # fmt: skip
    return None


def _parent(parent: JsonObject) -> str:
    return "/".join(filter(None, (parent.get("namespace"), parent["name"], parent.get("sectionName"))))


def _hostname_wrong(route: JsonObject) -> Verdict | None:
    hostnames = route["spec"].get("hostnames") or [""]
    if any(common.hostname_fits(hostname, HOST) for hostname in hostnames):
        return None
    return wrong(
        "route-hostname", "the route is for another host than the test asks for",
        Evidence("hostnames of the route", ", ".join(hostnames), _LOOK),
        hint="Which Host does the guide's test put into its requests? Compare letter by letter.",
    )  # fmt: skip


def _path_wrong(route: JsonObject) -> Verdict | None:
    matches = [match for rule in route["spec"].get("rules") or () for match in rule.get("matches") or [{}]]
    if any(_fits(match) for match in matches):
        return None
    return wrong(
        "route-path", "no rule of the route fits the path that the test asks for",
        Evidence("matches", "\n".join(map(_match, matches)) or "none", _LOOK),
        hint="Which path does the guide's test ask for? A prefix is compared part by part, an exact path as a whole.",
    )  # fmt: skip


def _fits(match: JsonObject) -> bool:
    """Whether the test's plain GET fits; what asks for certain headers or parameters does not."""
    if match.get("headers") or match.get("queryParams") or match.get("method", "GET") != "GET":
        return False
    path = match.get("path") or {}
    kind, value = path.get("type", "PathPrefix"), path.get("value", "/")
    if kind == "PathPrefix":
        return f"{PATH}/".startswith(f"{value.rstrip('/')}/")
    return bool(value == PATH) if kind == "Exact" else True  # a regular expression is left to Envoy to judge


def _match(match: JsonObject) -> str:
    path = match.get("path") or {}
    rest = [f"with {field}" for field in ("headers", "queryParams", "method") if match.get(field)]
    return " ".join([path.get("type", "PathPrefix"), path.get("value", "/"), *rest])


def _backend_wrong(scene: Scene, route: JsonObject) -> Verdict | None:
    references = [
        reference for rule in route["spec"].get("rules") or ()
        if any(_fits(match) for match in rule.get("matches") or [{}]) for reference in rule.get("backendRefs") or ()
    ]  # fmt: skip
    seen = Evidence("backendRefs", ", ".join(map(_reference, references)) or "none", _LOOK)
    if (
        not any(reference.get("namespace", scene.namespace) == scene.namespace for reference in references)
        and references
    ):
        return wrong(
            "route-backend-namespace", "the route sends requests to another namespace", seen, common.said(route),
            hint="What lies in another namespace must be granted there. Where is your backend?",
        )  # fmt: skip
    named = [each for each in references if each["name"] == BACKEND and each.get("kind", "Service") == "Service"]
    if not named:
        return wrong(
            "route-backend", f"the route does not send requests to the Service {BACKEND}", seen, common.said(route),
            hint="Which Services are there? kubectl get services",
        )  # fmt: skip
    if not any(each.get("port") == backend.PORT for each in named):
        return wrong(
            "route-backend-port", "the route names a port that the guide's Service does not have", seen,
            common.said(route),
            hint="A route names the Service's port, not that of its pods. Which ones has the Service?",
        )  # fmt: skip
    return None


def _reference(reference: JsonObject) -> str:
    return f"{reference.get('kind', 'Service')} {reference['name']} port {reference.get('port', 'none')}"


def _not_accepted(scene: Scene, route: JsonObject) -> Verdict | None:
    if conditions.is_true(route, "Accepted") and conditions.is_true(route, "ResolvedRefs"):
        return None
    earlier = scene.unfinished("gateway-api", "backend", "gateway")
    if earlier:
        return common.waits("route", earlier, common.said(route))
    refused = common.route_refused("route-not-accepted", route)
    if refused is not None:
        return refused
    return not_yet(
        "route-unseen", "no Gateway has taken it so far", common.said(route),
        hint="Some seconds are normal. After that: does Envoy Gateway's own pod run?",
    )  # fmt: skip


def _in_envoy(scene: Scene, route: JsonObject) -> Verdict:
    configuration = scene.envoy_configuration()
    if configuration is None:
        return done(f"the route {ROUTE} is accepted", common.said(route))
    known = configuration.routes_from("HTTPRoute", ROUTE, scene.namespace)
    lines = "\n".join(f"{' '.join(each.domains)} {each.match}" for each in known)
    seen = Evidence("Envoy's own configuration, from this route", lines or "nothing", "localhost:19000/config_dump")
    if not known:
        return not_yet(
            "route-not-in-envoy", "Envoy does not know the route so far", seen, common.said(route),
            hint="Some seconds are normal. After that: does Envoy Gateway's own pod run?",
        )  # fmt: skip
    return done(f"the route {ROUTE} is accepted, and Envoy works by it", common.said(route), seen)
