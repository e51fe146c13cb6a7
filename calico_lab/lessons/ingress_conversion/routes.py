"""The rules of one Ingress for one of its hosts, and the HTTPRoutes or GRPCRoutes that hold them."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from calico_lab.lessons.ingress_conversion import canaries, paths
from calico_lab.lessons.ingress_conversion.draft import Draft
from calico_lab.lessons.ingress_conversion.ingresses import Ingress, Path
from calico_lab.lessons.ingress_conversion.paths import RoutePath

JsonObject = dict[str, Any]
Ports = Mapping[tuple[str, str], int]

GATEWAY_API = "gateway.networking.k8s.io/v1"
MOST_RULES = 16


@dataclass
class Writer:
    """Writes rules, and collects what is to be told of them: by path, and Services whose port is not known.

    ``ports`` are the numbers of Services' named ports, ``expressions`` the hosts all of whose paths are regular
    expressions because one Ingress says so.
    """

    ports: Ports
    expressions: frozenset[str]
    differences: dict[str, str] = field(default_factory=dict)
    impossible: dict[str, str] = field(default_factory=dict)
    nameless: list[Path] = field(default_factory=list)

    def rules(self, draft: Draft, host: str, beside: Sequence[Ingress]) -> list[list[JsonObject]]:
        """Return the rules for a host, those together that belong together; ``beside`` are the canaries."""
        groups = [[_app_root(draft)]] if draft.app_root else []
        for path in draft.ingress.paths:
            if path.host == host and (group := self._group(draft, path, beside)):
                groups.append(group)
        return groups

    def _group(self, draft: Draft, path: Path, beside: Sequence[Ingress]) -> list[JsonObject]:
        if draft.is_grpc:
            match = self._grpc_match(path)
            rule: JsonObject | None = None if match is None else {"matches": [match]} if match else {}
        else:
            rule = self._http_rule(draft, path)
        if rule is None:
            return []
        if draft.redirect is not None:
            return [rule]
        backend = self._backend(path)
        if backend is None:
            return []
        rule["backendRefs"] = [backend]
        for canary in beside:
            same = [each for each in canary.paths if (each.host, each.path) == (path.host, path.path)]
            if same and (second := self._backend(same[0])):
                return canaries.with_canary(rule, canary, second)
        return [rule]

    def _http_rule(self, draft: Draft, path: Path) -> JsonObject | None:
        found = self._route_path(draft, path)
        if found.difference:
            self.differences[path.path] = found.difference
        if found.impossible:
            self.impossible[path.path] = found.impossible
            return None
        filters = copy.deepcopy(draft.filters)
        if draft.redirect is not None:
            filters = [{"type": "RequestRedirect", "requestRedirect": draft.redirect}]
        elif draft.rewrite or found.rewrite:
            rewrite = draft.rewrite | ({"path": found.rewrite} if found.rewrite else {})
            filters.append({"type": "URLRewrite", "urlRewrite": rewrite})
        rule: JsonObject = {"matches": [{"path": found.match}]}
        rule |= {"filters": filters} if filters else {}
        return rule | ({} if draft.redirect is not None else copy.deepcopy(draft.rule))

    def _route_path(self, draft: Draft, path: Path) -> RoutePath:
        target = draft.said.get("rewrite-target")
        if target:
            return paths.rewritten(path.path, target)
        if draft.ingress.is_nginx and path.host in self.expressions and path.path != "/":
            return paths.expression(path.path)
        return paths.plain(path.path, path.kind)

    def _grpc_match(self, path: Path) -> JsonObject | None:
        """Return the match for a path of gRPC: /package.Service/Method, a part of it, or all."""
        service, _, method = path.path.strip("/").partition("/")
        if not service:
            return {}
        if "/" in method or (method and path.kind != "Exact") or paths.has_special(path.path.replace(".", "")):
            self.impossible[path.path] = "a GRPCRoute matches a service, or a method of one, as a whole"
            return None
        return {"method": {"service": service} | ({"method": method} if method else {})}

    def _backend(self, path: Path) -> JsonObject | None:
        port = path.port if isinstance(path.port, int) else self.ports.get((path.service, path.port))
        if not path.service or port is None:
            self.nameless.append(path)
            return None
        return {"name": path.service, "port": port}


def _app_root(draft: Draft) -> JsonObject:
    redirect = {"path": {"type": "ReplaceFullPath", "replaceFullPath": draft.app_root}, "statusCode": 302}
    match = {"path": {"type": "Exact", "value": "/"}}
    return {"matches": [match], "filters": [{"type": "RequestRedirect", "requestRedirect": redirect}]}


def written(draft: Draft, host: str, groups: list[list[JsonObject]], parents: list[JsonObject]) -> Iterator[JsonObject]:
    """Yield the routes with these rules: one, or as many as they need, each with its hostnames and parents."""
    kind = "GRPCRoute" if draft.is_grpc else "HTTPRoute"
    name = f"{draft.ingress.name}-{name_of(host)}"
    for number, rules in enumerate(_portions(groups)):
        spec: JsonObject = {"parentRefs": parents}
        spec |= {"hostnames": [host, *draft.aliases]} if host else {}
        metadata = {"name": f"{name}-{number + 1}" if number else name}
        yield {"apiVersion": GATEWAY_API, "kind": kind, "metadata": metadata, "spec": spec | {"rules": rules}}


def https_redirect(draft: Draft, host: str, parents: list[JsonObject]) -> JsonObject:
    """Return the route that sends whoever comes without TLS to the same place with it."""
    redirect = {"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}
    spec: JsonObject = {"parentRefs": parents}
    spec |= {"hostnames": [host, *draft.aliases]} if host else {}
    metadata = {"name": f"{draft.ingress.name}-{name_of(host)}-to-https"}
    rules = [{"filters": [redirect]}]
    return {"apiVersion": GATEWAY_API, "kind": "HTTPRoute", "metadata": metadata, "spec": spec | {"rules": rules}}


def name_of(host: str) -> str:
    """Return a host as a part of a name."""
    return host.replace("*", "any").replace(".", "-") or "all-hosts"


def _portions(groups: list[list[JsonObject]]) -> Iterator[list[JsonObject]]:
    """Yield the rules in portions of at most sixteen, as a route may have, without parting what belongs together."""
    portion: list[JsonObject] = []
    for group in groups:
        if portion and len(portion) + len(group) > MOST_RULES:
            yield portion
            portion = []
        portion = portion + group
    if portion:
        yield portion
