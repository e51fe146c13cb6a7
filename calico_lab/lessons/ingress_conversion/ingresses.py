"""What stands in an Ingress: its class, its annotations, and each path with the Service behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

JsonObject = dict[str, Any]

PREFIX = "nginx.ingress.kubernetes.io/"
CLASS_ANNOTATION = "kubernetes.io/ingress.class"
# What kubectl writes for itself, and says nothing to a controller.
_BOOKKEEPING = ("kubectl.kubernetes.io/last-applied-configuration", CLASS_ANNOTATION)


@dataclass(frozen=True)
class Path:
    """One path of an Ingress; ``host`` is empty for every host, ``port`` a number or the name of a Service's port."""

    host: str
    path: str
    kind: str
    service: str
    port: int | str


class Ingress:
    """An Ingress to be read. ``is_nginx``: whether its controller is ingress-nginx, or one that reads the same."""

    def __init__(self, item: JsonObject, nginx_classes: Iterable[str]) -> None:
        self.item = item
        self.name: str = item["metadata"]["name"]
        self.namespace: str = item["metadata"].get("namespace", "")
        annotations = {key: str(value) for key, value in (item["metadata"].get("annotations") or {}).items()}
        self.ingress_class = item["spec"].get("ingressClassName") or annotations.get(CLASS_ANNOTATION, "")
        self.is_nginx = self.ingress_class in nginx_classes
        self._annotations = {key: value for key, value in annotations.items() if key not in _BOOKKEEPING}

    @cached_property
    def nginx(self) -> Mapping[str, str]:
        """The annotations of ingress-nginx, without their prefix; none where another controller reads the Ingress."""
        found = {key.removeprefix(PREFIX): value for key, value in self._annotations.items() if key.startswith(PREFIX)}
        return found if self.is_nginx else {}

    @cached_property
    def others(self) -> Mapping[str, str]:
        """The annotations that ingress-nginx does not read, by their whole names."""
        return {
            key: value for key, value in self._annotations.items() if not (self.is_nginx and key.startswith(PREFIX))
        }

    @property
    def is_canary(self) -> bool:
        """Whether it stands beside another Ingress, for a part of that one's requests."""
        return self.nginx.get("canary") == "true"

    @property
    def uses_expressions(self) -> bool:
        """Whether its paths are regular expressions: said so, or because a target for rewriting makes them so."""
        return self.nginx.get("use-regex") == "true" or "rewrite-target" in self.nginx

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        """Its paths, and its default backend as the path / of every host."""
        return tuple(self._paths())

    def _paths(self) -> Iterator[Path]:
        for rule in self.item["spec"].get("rules") or ():
            for entry in (rule.get("http") or {}).get("paths") or ():
                yield _path(rule.get("host", ""), entry.get("path") or "/", entry["pathType"], entry["backend"])
        if "defaultBackend" in self.item["spec"]:
            yield _path("", "/", "Prefix", self.item["spec"]["defaultBackend"])

    @cached_property
    def hosts(self) -> tuple[str, ...]:
        """Its hosts, in the order in which they stand there."""
        return tuple(dict.fromkeys(path.host for path in self.paths))

    def secret_of(self, host: str) -> str | None:
        """Return the name of the Secret with a host's certificate: empty for the controller's own, None without TLS."""
        for entry in self.item["spec"].get("tls") or ():
            hosts = entry.get("hosts") or [host]
            if any(_covers(pattern, host) for pattern in hosts):
                return str(entry.get("secretName", ""))
        return None


def _path(host: str, path: str, kind: str, backend: JsonObject) -> Path:
    service = backend.get("service") or {"name": "", "port": {}}
    return Path(host, path, kind, service["name"], service["port"].get("number") or service["port"].get("name", ""))


def _covers(pattern: str, host: str) -> bool:
    return pattern == host or (pattern.startswith("*.") and host.partition(".")[2] == pattern[2:])
