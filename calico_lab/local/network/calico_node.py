"""The part of calico-node that speaks BGP: keeps a node's BIRD running, and configured as the API says."""

from __future__ import annotations

import asyncio

from calico_lab.local.client import ApiClient
from calico_lab.local.controller import Controller, Key
from calico_lab.local.network import bird
from calico_lab.local.network.bird_configuration import node
from calico_lab.local.network.folders import write_file
from calico_lab.local.network.service_ports import service_ports
from calico_lab.local.network.speaker import speaker_for
from calico_lab.local.resources import BGP_CONFIGURATIONS, BGP_PEERS, ENDPOINT_SLICES, NODES, SERVICES
from calico_lab.local.start.namespaces import Namespaces
from calico_lab.local.start.programs import Programs
from calico_lab.local.topology import Host

# The configuration is one thing to reconcile, whatever it was that changed.
_CONFIGURATION = Key("", "bird.cfg")
_DEFAULT = Key("", "default")
# Longer than the service proxy takes to load its rules: an address is announced only once this node answers for it.
_GATHER_SECONDS = 0.03


class CalicoNode(Controller):
    """Renders a node's BIRD configuration and has BIRD read it whenever it changes."""

    def __init__(self, client: ApiClient, host: Host, namespaces: Namespaces, programs: Programs) -> None:
        self.name = f"calico-node of {host.name}"
        super().__init__(client)
        self._host = host
        self._namespaces = namespaces
        self._loaded = ""
        self._configured = asyncio.Event()
        self.bird = bird.Bird(host.name, namespaces, programs, bird.NODE_CONFIGURATION, bird.NODE_CONTROL_SOCKET)
        self._nodes = self.inform(NODES, lambda _: (_CONFIGURATION,))
        self._services = self.inform(SERVICES, lambda _: (_CONFIGURATION,))
        self._slices = self.inform(ENDPOINT_SLICES, lambda _: (_CONFIGURATION,))
        self._configurations = self.inform(BGP_CONFIGURATIONS, lambda _: (_CONFIGURATION,), optional=True)
        self._peers = self.inform(BGP_PEERS, lambda _: (_CONFIGURATION,), optional=True)

    async def run(self) -> None:
        """Keep BIRD's configuration current until cancelled."""
        self.queue.add(_CONFIGURATION)
        await super().run()

    async def run_bird(self) -> None:
        """Run BIRD, from its first configuration on, until cancelled. It outlives the end of :meth:`run`."""
        await self._configured.wait()
        await self.bird.run()

    async def reconcile(self, key: Key) -> None:  # noqa: ARG002 - there is but one
        """Load the configuration, if it is not the one in force."""
        await asyncio.sleep(_GATHER_SECONDS)
        ports = service_ports(self._services, self._slices, self._host.name)
        configuration = self._configurations.get(_DEFAULT)
        text = node(speaker_for(self._host, self._nodes, configuration, self._peers, ports))
        if text == self._loaded:
            return
        with self._namespaces.entered():
            write_file(bird.NODE_CONFIGURATION, text)
        if self.bird.running:
            await self.bird.configure()
        self._configured.set()
        self._loaded = text
