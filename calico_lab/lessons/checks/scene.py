"""What the checks look at: the cluster's objects, the bastion, and the gateway's Envoys, each read at most once.

A scene is one glance: it is made for one ``lab.check(...)`` and then forgotten. It only ever reads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from calico_lab import errors
from calico_lab.completed_command import CompletedCommand
from calico_lab.lessons.checks.verdict import Verdict
from calico_lab.tools import envoy_admin

if TYPE_CHECKING:
    from calico_lab.lab import Lab

JsonObject = dict[str, Any]
Objects = list[JsonObject]

GATEWAY = "load-balancing-gateway"
ROUTE = "round-robin-route"
POLICY = "round-robin-policy"
BACKEND = "backend"
HOST = "www.example.com"
PATH = "/round"
BASTION_SECONDS = 10.0


class Scene:
    """One glance at a lab. ``judge`` gives the verdict on another step, for the steps that stand on it."""

    def __init__(self, lab: Lab, judge: Callable[[Scene, str], Verdict]) -> None:
        self.lab = lab
        self.namespace = lab.cluster.kubeconfig.namespace
        self._judge = judge
        self._seen: dict[Any, Any] = {}

    def _once(self, key: Any, read: Callable[[], Any]) -> Any:
        if key not in self._seen:
            self._seen[key] = read()
        return self._seen[key]

    def objects(
        self, kind: str, *, labels: str = "", fields: str = "", everywhere: bool = False, api_version: str = ""
    ) -> Objects:
        """Return the objects of a kind in the learner's namespace, or wherever this user may look.

        Empty too when the cluster does not serve the kind.
        """
        return list(
            self._once(
                (kind, labels, fields, everywhere), lambda: self._list(kind, labels, fields, everywhere, api_version)
            )
        )

    def _list(self, kind: str, labels: str, fields: str, everywhere: bool, api_version: str) -> Objects:
        def ask(all_namespaces: bool) -> Objects:
            return self.lab.cluster.list(
                kind, labels=labels, fields=fields, all_namespaces=all_namespaces, api_version=api_version
            )

        try:
            return ask(everywhere)
        except errors.NotFound:
            return []
        except errors.Forbidden:
            if not everywhere:
                raise
            return ask(False)  # who may look at one namespace only is shown that one

    def find(self, kind: str, name: str) -> JsonObject | None:
        """Return the learner's object of this name, or None."""
        return next((item for item in self.objects(kind) if item["metadata"]["name"] == name), None)

    @property
    def address(self) -> str:
        """The address of the guide's Gateway, empty where it has none."""
        addresses = ((self.find("Gateway", GATEWAY) or {}).get("status") or {}).get("addresses") or []
        return str(addresses[0]["value"]) if addresses else ""

    def serves(self, kind: str) -> bool:
        """Whether the cluster knows this kind at all."""

        def ask() -> bool:
            try:
                self.lab.cluster.list(kind)
            except errors.NotFound:
                return False
            return True

        return bool(self.objects(kind)) or bool(self._once(("serves", kind), ask))

    def other_namespaces(self, kind: str, name: str) -> list[str]:
        """Return the namespaces, other than the learner's, that have an object of this name."""
        found = self.objects(kind, fields=f"metadata.name={name}", everywhere=True)
        return sorted({item["metadata"]["namespace"] for item in found} - {self.namespace})

    def bastion(self, command: str) -> CompletedCommand:
        """Return what a command on the bastion came to, whatever its exit code."""
        run = self.lab.bastion.run
        result: CompletedCommand = self._once(
            ("bastion", command), lambda: run(command, check=False, time_limit=BASTION_SECONDS)
        )
        return result

    def verdict(self, step: str) -> Verdict:
        """Return the verdict on another step."""
        verdict: Verdict = self._once(("verdict", step), lambda: self._judge(self, step))
        return verdict

    def unfinished(self, *steps: str) -> list[str]:
        """Return those of these steps that are not done."""
        return [step for step in steps if not self.verdict(step)]

    def envoys(self) -> list[envoy_admin.EnvoyAdmin]:
        """Return the admin pages of the Envoys that run for the guide's Gateway."""
        found: list[envoy_admin.EnvoyAdmin] = self._once(
            "envoys", lambda: envoy_admin.of_gateway(self.lab.cluster, GATEWAY, self.namespace)
        )
        return found

    def envoy_configuration(self) -> envoy_admin.Configuration | None:
        """Return what the first Envoy of the Gateway works by, or None when none runs or may be asked."""

        def ask() -> envoy_admin.Configuration | None:
            try:
                return next((envoy.configuration() for envoy in self.envoys()), None)
            except (errors.ApiError, errors.ReportError):
                return None  # it has just gone, or this user may not forward ports: the conditions tell as much

        configuration: envoy_admin.Configuration | None = self._once("configuration", ask)
        return configuration
