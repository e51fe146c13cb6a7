"""The lesson on routing: a route with a rule for each kind of match, judged by the answers of the gateway."""

from __future__ import annotations

from calico_lab.lessons import predictions
from calico_lab.lessons.checks import common
from calico_lab.lessons.checks.scene import GATEWAY, HOST, JsonObject, Scene
from calico_lab.lessons.checks.verdict import Evidence, Verdict, done, first, not_yet, wrong

ROUTE = "routing"
EXPECTED = {
    "/": "backend",
    "/shop": "backend-v2",
    "/shop/cart": "backend-v3",
    "/shop/cart/": "backend-v2",
    "/shopping": "backend",
    "-X POST /shop/cart/1": "backend-v3",
}
_LOOK = f"kubectl get httproute {ROUTE} -o yaml"


def check(scene: Scene) -> Verdict:
    """Whether the lesson's route is accepted, and requests go where the lesson has them go."""
    route = scene.find("HTTPRoute", ROUTE)
    if route is None:
        return common.missing(scene, "routing", "HTTPRoute", ROUTE)
    return first(
        lambda: _parent_wrong(route),
        lambda: common.route_refused("routing-not-accepted", route),
        lambda: _answers(scene),
    )


def _parent_wrong(route: JsonObject) -> Verdict | None:
    names = [each["name"] for each in route["spec"].get("parentRefs") or ()]
    if GATEWAY in names:
        return None
    return wrong(
        "routing-parent", f"the route does not hang at the Gateway {GATEWAY}",
        Evidence("parentRefs", ", ".join(names) or "none", _LOOK),
        hint="A route says itself at which Gateway it hangs.",
    )  # fmt: skip


def _answers(scene: Scene) -> Verdict:
    if not scene.address:
        return common.waits("routing", ["gateway"])
    found = predictions.test(scene.lab.bastion, scene.address, HOST, EXPECTED)
    lines = "\n".join(f"{request}: {name}" for request, name in found.answered.items())
    seen = Evidence("who answered", lines, f"curl -H 'Host: {HOST}' http://{scene.address}/shop")
    if found.right:
        return done("each request goes to the rule that the lesson has it go to", seen)
    make = not_yet if set(found.answered.values()) <= {"404", "500", "503", "no answer"} else wrong
    return make(
        "routing-answers", f"{len(found.wrong)} of {len(EXPECTED)} requests go elsewhere", seen,
        hint=f"Begin with {found.wrong[0]}: which rules fit it, and which of them is the most specific?",
    )  # fmt: skip
