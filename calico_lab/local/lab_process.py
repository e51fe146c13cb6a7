"""The lab's first process: it makes the lab's own world, starts every part in it, and keeps them running.

It is the init of the lab's PID namespace and the only place where the parts are put together: each is given what it
needs of the others, and nothing more. Controllers, kubelets and the network get a client of the API, never its server.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import signal
import socket
import ssl
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from calico_lab.local import bastion_host, resources
from calico_lab.local.apiserver.http import serve as serve_api
from calico_lab.local.apiserver.server import ApiServer
from calico_lab.local.client import ApiClient
from calico_lab.local.controllers import all_controllers
from calico_lab.local.kubelet import Kubelet
from calico_lab.local.network.bird import Bird
from calico_lab.local.network.calico_node import CalicoNode
from calico_lab.local.network.hosts import create_hosts
from calico_lab.local.network.pods import PodNetwork
from calico_lab.local.network.services import ServiceProxy
from calico_lab.local.objects import is_ready
from calico_lab.local.process import reap_orphans
from calico_lab.local.start import launch, root
from calico_lab.local.start.connection import USER, kubeconfig
from calico_lab.local.start.namespaces import Namespaces
from calico_lab.local.start.settings import API_SOCKET, PROGRESS, READY, SSH_SOCKET, Credentials, Settings
from calico_lab.local.topology import API_PORT, BASTION, CONTROL1, NODES, Host

logger = logging.getLogger(__name__)

FIRST_RESTART_SECONDS = 0.1
LAST_RESTART_SECONDS = 5.0
BIRD_CONFIGURATION = Path("/etc/bird/bird.conf")
BIRD_CONTROL_SOCKET = Path("/run/bird/bird.ctl")
CONTROLLERS = "system:kube-controller-manager"
INSIDE_API = f"https://{CONTROL1.address}:{API_PORT}"


def main() -> None:
    """Run the lab that standard input describes (see ``settings``) until killed."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = Settings.from_line(sys.stdin.readline())
    launch.own_namespaces()
    root.enter_new_root(settings.visible, settings.staging)
    launch.seal()
    hosts = create_hosts()
    _report("four hosts on one switch")
    line = sys.stdin.readline()
    if not line:
        raise SystemExit("the command that started this lab has ended before telling its credentials")
    asyncio.run(Lab(settings, Credentials(**json.loads(line)), hosts).run())


class Lab:
    """Everything that runs in the lab. Each part is a task that is started again when it fails."""

    def __init__(self, settings: Settings, credentials: Credentials, hosts: dict[str, Namespaces]) -> None:
        self._programs = settings.programs
        self._credentials = credentials
        self._authority = credentials.certificate_authority.encode()
        self._hosts = hosts
        self._tokens = {user: secrets.token_urlsafe(32) for user in (CONTROLLERS, *(map(_node_user, NODES)))}
        users = {token: user for user, token in self._tokens.items()}
        self._server = ApiServer(seed=settings.seed, tokens={credentials.token: USER} | users)
        self._tasks = asyncio.TaskGroup()

    async def run(self) -> None:
        """Run until killed."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, reap_orphans)
        async with self._tasks:
            self._serve_api()
            self._run_controllers()
            for host in NODES:
                self._run_node(host)
            self._run_bastion()
            await self._nodes_ready()
            _report("three nodes Ready")
            _report(READY)
            with suppress(OSError):
                os.close(PROGRESS)

    def _serve_api(self) -> None:
        outside = socket.socket(fileno=API_SOCKET)
        with self._hosts[CONTROL1.name].entered():
            inside = socket.create_server((str(CONTROL1.address), API_PORT), backlog=128)
        tls = _server_tls(self._credentials)
        self._keep_running("API server", lambda: serve_api(self._server.handle, [outside, inside], tls))

    def _run_controllers(self) -> None:
        for controller in all_controllers(self._client(CONTROLLERS), certificate_authority=self._authority):
            self._keep_running(controller.name, controller.run)

    def _run_node(self, host: Host) -> None:
        namespaces = self._hosts[host.name]
        client = self._client(_node_user(host))
        network = PodNetwork(host, namespaces)
        kubelet = Kubelet(client, host, namespaces, network, self._programs, self._authority)
        self._server.connect_kubelet(host.name, kubelet.handle)
        self._keep_running(f"kubelet {host.name}", kubelet.run)
        for part in (CalicoNode, ServiceProxy):
            controller = part(client, host, namespaces, self._programs)
            self._keep_running(controller.name, controller.run)

    def _run_bastion(self) -> None:
        namespaces = self._hosts[BASTION.name]
        bastion_host.prepare(namespaces, self._programs, kubeconfig(INSIDE_API, self._credentials))
        bird = Bird(BASTION.name, namespaces, self._programs, BIRD_CONFIGURATION, BIRD_CONTROL_SOCKET)
        self._keep_running("BIRD bastion", bird.run)
        listening = socket.socket(fileno=SSH_SOCKET)
        keys = self._credentials.ssh_host_key, self._credentials.ssh_client_public_key
        self._keep_running("SSH server", lambda: bastion_host.serve([listening], *keys, namespaces, bird))

    def _client(self, user: str) -> ApiClient:
        return ApiClient(self._server.handle, user=user, token=self._tokens[user])

    def _keep_running(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        self._tasks.create_task(_keep_running(name, run), name=name)

    async def _nodes_ready(self) -> None:
        client = self._client(CONTROLLERS)
        while True:
            nodes, _ = await client.list(resources.NODES)
            if len(nodes) == len(NODES) and all(is_ready(node) for node in nodes):
                return
            await asyncio.sleep(0.01)


def _node_user(host: Host) -> str:
    return f"system:node:{host.name}"


async def _keep_running(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """Run a part again whenever it ends, with a growing delay; why it ended goes to the log."""
    delay = FIRST_RESTART_SECONDS
    while True:
        begun = asyncio.get_running_loop().time()
        try:
            await run()
            logger.error("%s ended; starting it again", name)
        except Exception:
            logger.exception("%s failed; starting it again", name)
        if asyncio.get_running_loop().time() - begun > LAST_RESTART_SECONDS:
            delay = FIRST_RESTART_SECONDS
        await asyncio.sleep(delay)
        delay = min(2 * delay, LAST_RESTART_SECONDS)


def _server_tls(credentials: Credentials) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile("w", dir="/run") as file:  # ssl only reads files; this one is in memory
        file.write(credentials.server_certificate + credentials.server_key)
        file.flush()
        context.load_cert_chain(file.name)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _report(step: str) -> None:
    """Tell a step to the command that started the lab, if that still listens."""
    with suppress(OSError):
        os.write(PROGRESS, f"{step}\n".encode())


if __name__ == "__main__":
    main()
