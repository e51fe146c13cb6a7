"""What the annotations of one Ingress ask for, collected until its routes and policies are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from calico_lab.lessons.ingress_conversion.ingresses import Ingress

JsonObject = dict[str, Any]


def _round_robin() -> JsonObject:
    return {"loadBalancer": {"type": "RoundRobin"}}


@dataclass
class Draft:
    """``rule`` goes into every rule of the routes, ``traffic`` and ``security`` become the specs of policies.

    ``rewrite`` is a URLRewrite without its path, ``redirect`` a RequestRedirect in the place of all backends, and
    ``secrets`` are those that the Ingress may name, by their names.
    """

    ingress: Ingress
    secrets: Mapping[str, JsonObject]
    rule: JsonObject = field(default_factory=dict)
    filters: list[JsonObject] = field(default_factory=list)
    rewrite: JsonObject = field(default_factory=dict)
    redirect: JsonObject | None = None
    app_root: str = ""
    aliases: list[str] = field(default_factory=list)
    is_grpc: bool = False
    traffic: JsonObject = field(default_factory=_round_robin)
    security: JsonObject = field(default_factory=dict)
    made_secrets: list[JsonObject] = field(default_factory=list)

    @property
    def said(self) -> Mapping[str, str]:
        """The annotations of ingress-nginx."""
        return self.ingress.nginx
