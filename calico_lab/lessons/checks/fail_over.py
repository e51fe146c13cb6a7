"""The lesson on fail-over: a route with two sites, one of which is asked only when the other is not well."""

from __future__ import annotations

from calico_lab.lessons import fail_over
from calico_lab.lessons.checks import common
from calico_lab.lessons.checks.scene import JsonObject, Scene
from calico_lab.lessons.checks.verdict import Evidence, Verdict, done, first, not_yet, wrong

_LOOK = f"kubectl get httproute {fail_over.ROUTE} -o yaml"
_IN_ENVOY = f"calico-lab envoy httproute {fail_over.ROUTE}"


def check(scene: Scene) -> Verdict:
    """Whether the route has a first site and a fallback, Envoy has both in one cluster, and something watches them."""
    route = scene.find("HTTPRoute", fail_over.ROUTE)
    if route is None:
        return common.missing(scene, "fail-over", "HTTPRoute", fail_over.ROUTE)
    return first(
        lambda: _not_resolved(route),
        lambda: _not_two(scene, route),
        lambda: _envoy(scene),
    )


def _not_resolved(route: JsonObject) -> Verdict | None:
    return common.route_refused(
        "fail-over-not-resolved", route, called="the route",
        hint="The condition's message names the backendRef. Of which group and kind is it?",
    )  # fmt: skip


def _not_two(scene: Scene, route: JsonObject) -> Verdict | None:
    references = (route["spec"].get("rules") or [{}])[0].get("backendRefs") or ()
    named = [each["name"] for each in references if each.get("kind") == "Backend"]
    backends = [backend for name in named if (backend := scene.find("Backend", name))]
    fallbacks = [backend["spec"].get("fallback", False) for backend in backends]
    lines = [
        f"{backend['metadata']['name']}: fallback {'true' if fallback else 'false'}"
        for backend, fallback in zip(backends, fallbacks, strict=True)
    ]
    seen = Evidence("Backends of the first rule", "\n".join(lines) or "none", "kubectl get backends -o yaml")
    if len(backends) < 2:
        return not_yet(
            "fail-over-one-site", "the first rule does not name two Backends", seen,
            hint="A rule may name several. A Service is no Backend, and has no fallback.",
        )  # fmt: skip
    if not any(fallbacks):
        return wrong(
            "fail-over-no-fallback", "no site is the fallback, so that both get requests all the time", seen,
            hint="One field of a Backend says that it is for bad times.",
        )  # fmt: skip
    if all(fallbacks):
        return wrong(
            "fail-over-all-fallback", "every site is a fallback, so that none is the first", seen,
            hint="Who should be asked while all is well?",
        )  # fmt: skip
    return None


def _envoy(scene: Scene) -> Verdict:
    cluster = fail_over.cluster(scene.lab)
    found = fail_over.priorities(cluster)
    seen = Evidence("priorities in Envoy's cluster, 0 first", ", ".join(map(str, found)) or "there is none", _IN_ENVOY)
    if sorted(set(found)) != [0, 1]:
        return not_yet(
            "fail-over-envoy", "Envoy has not both sites in one cluster", seen,
            hint="A change takes a moment. Do all endpoints have addresses of one sort, and no backendRef a filter?",
        )  # fmt: skip
    if not fail_over.is_watched(cluster):
        return not_yet(
            "fail-over-unwatched", "nobody notices that the first site fails", seen,
            hint="A fallback is asked when the others are not healthy. Who says that they are not?",
        )  # fmt: skip
    return done("the second site is asked when the first one is not well", seen)
