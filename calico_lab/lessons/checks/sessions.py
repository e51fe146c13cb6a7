"""The lesson on sticky sessions: a client that carries what it was told comes back to its pod."""

from __future__ import annotations

from calico_lab.lessons import counts, sessions
from calico_lab.lessons.checks import common
from calico_lab.lessons.checks.scene import ROUTE, JsonObject, Scene
from calico_lab.lessons.checks.verdict import Evidence, Verdict, done, first, not_yet, wrong
from calico_lab.lessons.clients import Clients

REQUESTS = 9  # of one client: more than a round over the guide's pods
_LOOK = f"kubectl get httproute {ROUTE} -o yaml"


def check(scene: Scene) -> Verdict:
    """Whether the guide's route keeps sessions, and a client that carries its session stays with its pod."""
    route = scene.find("HTTPRoute", ROUTE)
    if route is None:
        return common.missing(scene, "sticky", "HTTPRoute", ROUTE)
    return first(
        lambda: _not_asked_for(route),
        lambda: _not_accepted(route),
        lambda: _one_pod(scene),
        lambda: _visits(scene, route),
    )


def _not_asked_for(route: JsonObject) -> Verdict | None:
    if sessions.asked_for(route):
        return None
    fields = ", ".join((route["spec"].get("rules") or [{}])[0])
    return not_yet(
        "sticky-not-asked-for", f"the first rule of {ROUTE} asks for no sessions",
        Evidence("fields of the first rule", fields, _LOOK),
        hint="Sessions are a matter of a rule, beside its matches and backendRefs.",
    )  # fmt: skip


def _not_accepted(route: JsonObject) -> Verdict | None:
    if common.is_false(route, "Accepted"):
        return wrong(
            "sticky-not-accepted", "the Gateway does not take it as it is", common.said(route),
            hint="The condition's message names the field that it stumbled over.",
        )  # fmt: skip
    return None


def _one_pod(scene: Scene) -> Verdict | None:
    pods = scene.objects("Pod", labels=counts.BACKEND)
    if len(pods) > 1:
        return None
    look = f"kubectl get pods -l {counts.BACKEND}"
    return not_yet(
        "sticky-one-pod", "with a single pod every client stays, session or not",
        Evidence("pods", str(len(pods)), look),
        hint="How many replicas has the Deployment?",
    )  # fmt: skip


def _visits(scene: Scene, route: JsonObject) -> Verdict:
    if not scene.address:
        return common.waits("sticky", ["gateway"])
    asked_for, spec = sessions.asked_for(route), sessions.persistence(route) or {}
    clients = Clients(scene.lab.bastion, scene.address, spec["sessionName"], number=1)
    visits = clients.ask(REQUESTS)
    told = ", ".join(field for carried in clients.carried for field in carried) or "nothing"
    pods = len(set(visits.by_client[0]))
    seen = Evidence(
        f"a client with {REQUESTS} requests", f"told to send: {told}\npods that answered it: {pods}",
        f"curl -i -H 'Host: www.example.com' http://{scene.address}/round",
    )  # fmt: skip
    if not clients.told:
        return not_yet(
            "sticky-nothing-told", f"no answer tells the client what to carry, though the rule says {asked_for}", seen,
            hint="Envoy takes up a change in a moment. After that: is it this route that serves the request?",
        )  # fmt: skip
    if not visits.kept:
        return wrong(
            "sticky-strays", "the client carries what it was told, and several pods answer it", seen,
            hint="Does what the client was told come from Envoy? Decode it.",
        )  # fmt: skip
    return done(f"a client that carries its {asked_for} stays with its pod", seen)
