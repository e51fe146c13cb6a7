"""Makes Services work on one node, as kube-proxy does: keeps the node's nftables rules what the API says."""

from __future__ import annotations

import asyncio

from calico_lab.errors import LabError
from calico_lab.local import process
from calico_lab.local.client import ApiClient
from calico_lab.local.controller import Controller, Key
from calico_lab.local.network.ruleset import render
from calico_lab.local.network.service_ports import service_ports
from calico_lab.local.resources import ENDPOINT_SLICES, SERVICES
from calico_lab.local.start.namespaces import Namespaces
from calico_lab.local.start.programs import Programs
from calico_lab.local.topology import Host

# The node's rules are one thing to reconcile, whichever service changed.
_RULES = Key("", "rules")
# Several changes that come together (a deployment scaled, a service with its slices) make one new ruleset.
_GATHER_SECONDS = 0.004


class ServiceProxy(Controller):
    """Loads a node's rules in one transaction whenever a Service or an EndpointSlice changes them."""

    def __init__(self, client: ApiClient, host: Host, namespaces: Namespaces, programs: Programs) -> None:
        self.name = f"service proxy of {host.name}"
        super().__init__(client)
        self._host = host
        self._namespaces = namespaces
        self._programs = programs
        self._loaded = ""
        self._services = self.inform(SERVICES, lambda _: (_RULES,))
        self._slices = self.inform(ENDPOINT_SLICES, lambda _: (_RULES,))

    async def run(self) -> None:
        """Run until cancelled; the rules that need no service are loaded too."""
        self.queue.add(_RULES)
        await super().run()

    async def reconcile(self, key: Key) -> None:  # noqa: ARG002 - there is but one
        """Load the rules, if they are not the ones in force."""
        await asyncio.sleep(_GATHER_SECONDS)
        ports = service_ports(self._services, self._slices, self._host.name)
        ruleset = render(ports, self._host.address)
        if ruleset != self._loaded:
            await self._load(ruleset)
            self._loaded = ruleset

    async def _load(self, ruleset: str) -> None:
        exit_code, output = await process.run(
            [str(self._programs.nft), "-f", "-"],
            inside=self._namespaces,
            environment={"LD_LIBRARY_PATH": str(self._programs.nft_libraries)},
            stdin=ruleset.encode(),
        )
        if exit_code != 0:
            raise LabError(f"nft refused the rules of {self._host.name}: {output.decode(errors='replace').strip()}")
