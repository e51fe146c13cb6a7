"""From the rules of an HTTPRoute or GRPCRoute to routes, and what is wrong with these rules.

Conditions and their strings are those of Envoy Gateway 1.5.9, which overlooks one fault: a RequestMirror beside a
RequestRedirect, where nothing is mirrored. It is told in the words of later releases.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from calico_lab.local.gateway_api.backends import Problem, backend_of
from calico_lab.local.gateway_api.conditions import sentence
from calico_lab.local.gateway_api.hostnames import ANY
from calico_lab.local.gateway_api.http_filters import changes_of, mirrors_of
from calico_lab.local.gateway_api.model import Backend, Destination, Match, Mirror, Route, Source
from calico_lab.local.gateway_api.route_parents import RESOLVED, Told, joined
from calico_lab.local.gateway_api.rule_settings import retry_of, session_of, timeout_of
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
    """The routes of all rules, without their hostnames, and what the route is told of its rules.

    ``fault`` is the condition Accepted where the rules themselves are not valid: then none of them is served.
    """

    routes: tuple[Route, ...]
    resolved: Told
    fault: Told | None


@dataclass(frozen=True)
class _Error:
    """Why a rule, or a part of it, can't be served; that a reference doesn't resolve is no fault of the rule."""

    reason: str
    message: str
    of_rule: bool = False


@dataclass
class _Findings:
    """What comes to light while rules are resolved; of the faults of filters the last is told."""

    errors: list[_Error] = field(default_factory=list)
    filter_fault: str = ""

    def told(self) -> tuple[Told, Told | None]:
        """Return the conditions ResolvedRefs and Accepted, this only where it is False. One of both has all errors."""
        of_rules = any(error.of_rule for error in self.errors)
        message = "\n".join(sentence(error.message) for error in self.errors)
        errors = (False, joined(error.reason for error in self.errors), message) if self.errors else None
        of_filters = (False, "UnsupportedValue", self.filter_fault) if self.filter_fault else None
        if of_rules:
            return RESOLVED, errors
        return errors or RESOLVED, of_filters


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
    resolved, fault = findings.told()
    return Rules(() if fault else tuple(routes), resolved, fault)


def _with_host(traffic: Traffic, route: JsonObject) -> Traffic:
    """Return a policy whose health checks ask for the route's first hostname, unless they name another."""
    check = traffic.active_health_check
    if check is None or check.hostname or not check.path:
        return traffic
    hostname = (route["spec"].get("hostnames") or [ANY])[0]
    return replace(traffic, active_health_check=replace(check, hostname=hostname))


def _routes(place: _Place, rule: JsonObject, index: int, matches_of: MatchesOf, findings: _Findings) -> list[Route]:
    name = f"{place.prefix}/{index}"
    source = Source(place.kind, name_of(place.route), rule.get("name", ""))
    try:
        changes, fault = changes_of(rule.get("filters") or [])
        findings.filter_fault = fault or findings.filter_fault
        mirrors = _mirrors(place, rule, index, source)
        if changes.redirect and mirrors_of(rule["filters"]):
            text = "RequestMirror filter cannot be used when the rule also configures a RequestRedirect filter"
            raise _Unserved(_of_rule(index, text, "IncompatibleFilters"))
        matches = _matches(rule, index, matches_of)
    except _Unserved as unserved:
        findings.errors.append(unserved.error)
        return []
    destination = Destination(name, _backends(place, rule, index, findings), place.traffic, source)
    common = Route(
        name,
        Match(),
        destination if destination.reachable and not place.security.fault else None,
        source,
        changes=replace(changes, redirect=None) if place.security.fault else changes,
        mirrors=mirrors,
        timeout=timeout_of(rule),
        retry=retry_of(rule),
        authentication=place.security.authentication,
    )
    return [
        replace(
            common,
            name=f"{name}/match/{number}",
            match=match,
            session=session_of(rule.get("sessionPersistence"), name, match),
        )
        for number, match in matches
    ]


class _Unserved(Exception):
    """A rule that isn't served, as if it weren't there."""

    def __init__(self, error: _Error) -> None:
        super().__init__(error.message)
        self.error = error


def _of_rule(index: int, text: str, reason: str = "UnsupportedValue") -> _Error:
    return _Error(reason, f"failed to process route rule {index}: {text}", of_rule=True)


def _matches(rule: JsonObject, index: int, matches_of: MatchesOf) -> list[tuple[int, Match]]:
    if "idleTimeout" in (rule.get("sessionPersistence") or {}):
        raise _Unserved(_of_rule(index, "idle timeout is not supported in envoy gateway"))
    try:
        return matches_of(rule)
    except ValueError as error:
        raise _Unserved(_of_rule(index, str(error))) from error


def _backends(place: _Place, rule: JsonObject, rule_index: int, findings: _Findings) -> tuple[Backend, ...]:
    backends = []
    for index, reference in enumerate(rule.get("backendRefs") or []):
        name = f"{place.prefix}/{rule_index}/backend/{index}"
        changes, fault = changes_of(reference.get("filters") or [])
        findings.filter_fault = fault or findings.filter_fault
        try:
            backends.append(replace(place.backend(reference, name), changes=changes))
        except Problem as problem:
            text = f"failed to process route rule {rule_index} backendRef {index}: {problem.message}"
            findings.errors.append(_Error(problem.reason, text))
            backends.append(Backend(name, reference.get("weight", 1)))
    return tuple(backend for backend in backends if backend.weight)


def _mirrors(place: _Place, rule: JsonObject, rule_index: int, source: Source) -> tuple[Mirror, ...]:
    mirrors = []
    for index, spec in mirrors_of(rule.get("filters") or []):
        name = f"{place.prefix}/{rule_index}-mirror-{index}"
        try:
            backend = place.backend(spec["backendRef"], f"{name}/backend/-1")
        except Problem as problem:
            text = f"failed to validate the RequestMirror filter: {problem.message}"
            error = _of_rule(rule_index, text) if place.kind == "GRPCRoute" else _Error(problem.reason, text)
            raise _Unserved(error) from problem
        if backend.endpoints:
            destination = Destination(name, (backend,), Traffic(), source)
            mirrors.append(Mirror(destination, *_fraction(spec)))
    return tuple(mirrors)


def _fraction(spec: JsonObject) -> tuple[int, int]:
    if fraction := spec.get("fraction"):
        return fraction["numerator"], fraction.get("denominator", 100)
    return spec.get("percent", 100), 100
