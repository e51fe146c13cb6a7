"""The lesson on canaries: a route that splits requests between two versions, as Envoy has it."""

from __future__ import annotations

from calico_lab.lessons import canary
from calico_lab.lessons.checks import common
from calico_lab.lessons.checks.scene import JsonObject, Scene
from calico_lab.lessons.checks.verdict import Evidence, Verdict, done, first, not_yet, wrong

_LOOK = f"kubectl get httproute {canary.ROUTE} -o yaml"


def check(scene: Scene) -> Verdict:
    """Whether the first rule of the route names both versions, and Envoy works by its weights."""
    route = scene.find("HTTPRoute", canary.ROUTE)
    if route is None:
        return common.missing(scene, "canary", "HTTPRoute", canary.ROUTE)
    return first(
        lambda: _version_missing(route),
        lambda: common.route_refused("canary-not-accepted", route),
        lambda: _envoy(scene, route),
    )


def _references(route: JsonObject) -> list[JsonObject]:
    rules = route["spec"].get("rules") or [{}]
    return list(rules[0].get("backendRefs") or ())


def _version_missing(route: JsonObject) -> Verdict | None:
    named = [each["name"] for each in _references(route)]
    if missing := [version for version, service in canary.SERVICES.items() if service not in named]:
        return wrong(
            "canary-version", f"the first rule does not send to {' and '.join(missing)}",
            Evidence("backendRefs", ", ".join(named) or "none", _LOOK),
            hint="A rule can name several backends; each has a weight, which may be 0.",
        )  # fmt: skip
    return None


def _envoy(scene: Scene, route: JsonObject) -> Verdict:
    wanted = [weight for each in _references(route) if (weight := each.get("weight", 1))]
    found = canary.in_envoy(scene.lab)
    weights = ", ".join(f"{each['name']} {each.get('weight', 1)}" for each in _references(route))
    seen = Evidence("weights", f"asked for: {weights}\nin Envoy: {found}", f"calico-lab envoy httproute {canary.ROUTE}")
    if not wanted:
        return wrong(
            "canary-nobody", "no version has a weight above 0", seen,
            hint="What is asked for is the sum of nothing: whom should Envoy draw?",
        )  # fmt: skip
    if found != wanted:
        hint = "Envoy takes up a change in a moment; if it does not, look at the route's conditions."
        return not_yet("canary-envoy", "Envoy does not work by these weights", seen, hint=hint)
    return done("Envoy splits requests by the weights of the route", seen)
