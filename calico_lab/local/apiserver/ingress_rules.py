"""Rules of Ingresses and IngressClasses.

Messages: https://github.com/kubernetes/kubernetes, package ``pkg/apis/networking/validation``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address

from calico_lab.local.apiserver import field_problems as problem
from calico_lab.local.apiserver.field_problems import FieldProblem
from calico_lab.local.apiserver.names import DNS_1035_LABEL, DNS_1035_TEXT, subdomain_problem
from calico_lab.local.wire import JsonObject

CLASS_ANNOTATION = "kubernetes.io/ingress.class"
LONGEST_CONTROLLER = 250
_WILDCARD = r"\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_WILDCARD_TEXT = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
    "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', "
    f"regex used for validation is '{_WILDCARD}')"
)
_INSIDE, _AT_THE_END = ("//", "/./", "/../", "%2f", "%2F"), ("/..", "/.")
_DOMAIN_PREFIXED = re.compile(r"[^/]+/[A-Za-z0-9/\-._~%!$&'()*+,;=:]+")


def ingress_problems(item: JsonObject, old: JsonObject | None) -> Iterator[FieldProblem]:
    """Yield what is wrong with an Ingress."""
    spec = item.get("spec") or {}
    rules, backend, name = spec.get("rules") or [], spec.get("defaultBackend"), spec.get("ingressClassName")
    annotation = (item["metadata"].get("annotations") or {}).get(CLASS_ANNOTATION)
    if old is None and annotation is not None and name is not None:
        detail = "can not be set when the class field is also set"
        yield problem.invalid(f"metadata.annotations.{CLASS_ANNOTATION}", annotation, detail)
    if not rules and backend is None:
        yield problem.invalid("spec", None, "either `defaultBackend` or `rules` must be specified")
    if backend is not None:
        yield from _backend(backend, "spec.defaultBackend")
    for index, rule in enumerate(rules):
        yield from _rule(rule, f"spec.rules[{index}]")
    for index, entry in enumerate(spec.get("tls") or ()):
        for number, host in enumerate(entry.get("hosts") or ()):
            yield from _host(host, f"spec.tls[{index}].hosts[{number}]")
        if entry.get("secretName"):
            yield from _subdomain(entry["secretName"], f"spec.tls[{index}].secretName")
    if name is not None:
        yield from _subdomain(name, "spec.ingressClassName")


def ingress_class_problems(item: JsonObject, old: JsonObject | None) -> Iterator[FieldProblem]:
    """Yield what is wrong with an IngressClass."""
    path, controller = "spec.controller", (item.get("spec") or {}).get("controller") or ""
    if old is not None and controller != (old.get("spec") or {}).get("controller"):
        yield problem.invalid(path, controller, "field is immutable")
    if not controller:
        yield problem.required(path)
    elif len(controller) > LONGEST_CONTROLLER:
        yield problem.too_long(path, LONGEST_CONTROLLER)
    elif not _DOMAIN_PREFIXED.fullmatch(controller):
        yield problem.invalid(path, controller, 'must be a domain-prefixed path (such as "acme.io/foo")')


def _rule(rule: JsonObject, path: str) -> Iterator[FieldProblem]:
    if rule.get("host"):
        if _is_address(rule["host"]):
            yield problem.invalid(f"{path}.host", rule["host"], "must be a DNS name, not an IP address")
        else:
            yield from _host(rule["host"], f"{path}.host")
    for index, entry in enumerate((rule.get("http") or {}).get("paths") or ()):
        where = f"{path}.http.paths[{index}]"
        yield from _path(entry, where)
        if "backend" in entry:
            yield from _backend(entry["backend"], f"{where}.backend")


def _path(entry: JsonObject, where: str) -> Iterator[FieldProblem]:
    path, kind = entry.get("path") or "", entry.get("pathType")
    if kind is None:
        yield problem.required(f"{where}.pathType", "pathType must be specified")
        return
    if not path.startswith("/") and (path or kind != "ImplementationSpecific"):
        yield problem.invalid(f"{where}.path", path, "must be an absolute path")
        return
    if kind in ("Exact", "Prefix"):
        for part in _INSIDE:
            if part in path:
                yield problem.invalid(f"{where}.path", path, f"must not contain '{part}'")
        for part in _AT_THE_END:
            if path.endswith(part):
                yield problem.invalid(f"{where}.path", path, f"cannot end with '{part}'")


def _backend(backend: JsonObject, path: str) -> Iterator[FieldProblem]:
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None and resource is not None:
        yield problem.invalid(path, "", "cannot set both resource and service backends")
    elif service is not None:
        yield from _service(service, f"{path}.service")
    elif resource is None:
        yield problem.invalid(path, "", "resource or service backend is required")


def _service(service: JsonObject, path: str) -> Iterator[FieldProblem]:
    name, port = service.get("name") or "", service.get("port") or {}
    if name and not re.fullmatch(DNS_1035_LABEL, name):
        yield problem.invalid(f"{path}.name", name, DNS_1035_TEXT)
    if port.get("name") and port.get("number"):
        yield problem.invalid(path, "", "cannot set both port name & port number")
    elif port.get("number") and not 1 <= port["number"] <= 65535:
        yield problem.invalid(f"{path}.port.number", port["number"], "must be between 1 and 65535, inclusive")
    elif not port.get("name") and not port.get("number"):
        yield problem.required(path, "port name or number is required")


def _host(host: str, path: str) -> Iterator[FieldProblem]:
    if "*" not in host:
        yield from _subdomain(host, path)
    elif not re.fullmatch(_WILDCARD, host):
        yield problem.invalid(path, host, _WILDCARD_TEXT)


def _subdomain(text: str, path: str) -> Iterator[FieldProblem]:
    if detail := subdomain_problem(text):
        yield problem.invalid(path, text, detail)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
