"""From the rules of an HTTPRoute or GRPCRoute to routes, and what is wrong with these rules.

Conditions and their strings are those of Envoy Gateway 1.5.9.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from calico_lab.local.gateway_api.backends import Problem, backend_of
from calico_lab.local.gateway_api.conditions import sentence
from calico_lab.local.gateway_api.durations import seconds
from calico_lab.local.gateway_api.hostnames import ANY
from calico_lab.local.gateway_api.http_filters import changes_of, mirrors_of
from calico_lab.local.gateway_api.model import Backend, Destination, Match, MatchType, Mirror, Route, Session, Source
from calico_lab.local.gateway_api.route_parents import RESOLVED, Told
from calico_lab.local.gateway_api.security_policies import Security
from calico_lab.local.gateway_api.traffic import Traffic
from calico_lab.local.gateway_api.world import World, name_of
from calico_lab.local.wire import JsonObject

# From a rule to its matches with their indices; raises ValueError where one is not valid.
MatchesOf = Callable[[JsonObject], list[tuple[int, Match]]]


@dataclass(frozen=True)
class Policies:
    """What policies say of a route by way of a Gateway."""

    traffic: Traffic
    security: Security


@dataclass(frozen=True)
class Rules:
    """The routes of all rules, without their hostnames, and what is wrong with the rules themselves."""

    routes: tuple[Route, ...]
    resolved: Told
    fault: Told | None


@dataclass
class _Findings:
    """What comes to light while rules are resolved."""

    problems: list[Problem] = field(default_factory=list)
    faults: list[Told] = field(default_factory=list)


@dataclass(frozen=True)
class _Place:
    """The route that is resolved, and how its traffic is spread."""

    world: World
    route: JsonObject
    kind: str
    traffic: Traffic
    security: Security

    @property
    def prefix(self) -> str:
        return f"{self.kind.lower()}/{name_of(self.route)}/rule"

    def backend(self, reference: JsonObject, name: str) -> Backend:
        """Return what a backendRef comes to; raises ``Problem`` where it is not valid."""
        namespace = self.route["metadata"]["namespace"]
        return backend_of(self.world, reference, self.kind, namespace, name=name, http2=self.kind == "GRPCRoute")


def resolve_rules(world: World, route: JsonObject, kind: str, policies: Policies, matches_of: MatchesOf) -> Rules:
    """Resolve the rules of a route; where one of them is not valid, none is served."""
    traffic = _with_host(policies.traffic, route)
    place, findings = _Place(world, route, kind, traffic, policies.security), _Findings()
    routes: list[Route] = []
    for index, rule in enumerate(route["spec"].get("rules") or []):
        routes += _routes(place, rule, index, matches_of, findings)
    if not findings.faults:
        return Rules(tuple(routes), _told(findings.problems), None)
    (first, *_), texts = findings.faults, [text for _, _, text in findings.faults]
    return Rules((), _told(findings.problems), (False, first[1], "\n".join(texts)))


def _with_host(traffic: Traffic, route: JsonObject) -> Traffic:
    """Return a policy whose health checks ask for the route's first hostname, unless they name another."""
    check = traffic.active_health_check
    if check is None or check.hostname or not check.path:
        return traffic
    hostname = (route["spec"].get("hostnames") or [ANY])[0]
    return replace(traffic, active_health_check=replace(check, hostname=hostname))


def _routes(place: _Place, rule: JsonObject, index: int, matches_of: MatchesOf, findings: _Findings) -> list[Route]:
    filters = rule.get("filters") or []
    try:
        matches, changes = matches_of(rule), changes_of(filters)
    except ValueError as error:
        text = sentence(f"failed to process route rule {index}: {error}")
        findings.faults.append((False, "UnsupportedValue", text))
        return []
    if changes.redirect and mirrors_of(filters):
        text = "RequestMirror filter cannot be used when the rule also configures a RequestRedirect filter"
        findings.faults.append(
            (False, "IncompatibleFilters", sentence(f"failed to process route rule {index}: {text}"))
        )
        return []
    name = f"{place.prefix}/{index}"
    source = Source(place.kind, name_of(place.route), rule.get("name", ""))
    destination = Destination(name, _backends(place, rule, index, findings), place.traffic, source)
    mirrors = _mirrors(place, filters, index, source, findings)
    return [
        Route(
            f"{name}/match/{number}",
            match,
            destination if destination.reachable and not place.security.fault else None,
            source,
            changes=replace(changes, redirect=None) if place.security.fault else changes,
            mirrors=mirrors,
            timeout=_timeout(rule.get("timeouts") or {}),
            session=_session(rule.get("sessionPersistence"), name, match),
            authentication=place.security.authentication,
        )
        for number, match in matches
    ]


def _backends(place: _Place, rule: JsonObject, rule_index: int, findings: _Findings) -> tuple[Backend, ...]:
    backends = []
    for index, reference in enumerate(rule.get("backendRefs") or []):
        where = f"failed to process route rule {rule_index} backendRef {index}"
        name = f"{place.prefix}/{rule_index}/backend/{index}"
        try:
            changes = changes_of(reference.get("filters") or [])
            backends.append(replace(place.backend(reference, name), changes=changes))
        except Problem as problem:
            findings.problems.append(Problem(problem.reason, f"{where}: {problem.message}"))
            backends.append(Backend(name, reference.get("weight", 1)))
        except ValueError as error:
            findings.faults.append((False, "UnsupportedValue", sentence(f"{where}: {error}")))
    return tuple(backend for backend in backends if backend.weight)


def _mirrors(
    place: _Place, filters: list[JsonObject], rule_index: int, source: Source, findings: _Findings
) -> tuple[Mirror, ...]:
    mirrors = []
    for index, spec in mirrors_of(filters):
        name = f"{place.prefix}/{rule_index}-mirror-{index}"
        try:
            backend = place.backend(spec["backendRef"], f"{name}/backend/-1")
        except Problem as problem:
            text = f"failed to process route rule {rule_index}: failed to validate the RequestMirror filter"
            findings.problems.append(Problem(problem.reason, f"{text}: {problem.message}"))
            continue
        if backend.endpoints:
            destination = Destination(name, (backend,), Traffic(), source)
            mirrors.append(Mirror(destination, *_fraction(spec)))
    return tuple(mirrors)


def _fraction(spec: JsonObject) -> tuple[int, int]:
    if fraction := spec.get("fraction"):
        return fraction["numerator"], fraction.get("denominator", 100)
    return spec.get("percent", 100), 100


def _timeout(spec: JsonObject) -> float | None:
    """Return the timeout of a route: without retries, that of one request to a backend is that of the whole."""
    text = spec.get("backendRequest") or spec.get("request")
    return None if text is None else seconds(text)


def _session(spec: JsonObject | None, rule: str, match: Match) -> Session | None:
    if spec is None:
        return None
    name = spec.get("sessionName") or rule.replace("/", "-")
    if spec.get("type", "Cookie") == "Header":
        return Session(name, in_cookie=False)
    permanent = (spec.get("cookieConfig") or {}).get("lifetimeType") == "Permanent"
    path = "/" if match.path_type is MatchType.REGULAR_EXPRESSION else match.path
    return Session(name, path=path, lifetime=seconds(spec["absoluteTimeout"]) if permanent else None)


def _told(problems: list[Problem]) -> Told:
    if not problems:
        return RESOLVED
    reasons = ", ".join(sorted({problem.reason for problem in problems}))
    return False, reasons, "\n".join(sentence(problem.message) for problem in problems)
