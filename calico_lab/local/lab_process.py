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
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NoReturn

from calico_lab.local import bastion_host, garbage, resources
from calico_lab.local.apiserver.http import serve as serve_api
from calico_lab.local.apiserver.http import trust_clients_of
from calico_lab.local.apiserver.server import ApiServer
from calico_lab.local.client import ApiClient
from calico_lab.local.control import Control
from calico_lab.local.controllers import all_controllers
from calico_lab.local.events import EventRecorder
from calico_lab.local.kubelet import Kubelet
from calico_lab.local.network.bird import (
    BASTION_CONFIGURATION,
    BASTION_CONTROL_SOCKET,
    NODE_CONTROL_SOCKET,
    Bird,
)
from calico_lab.local.network.calico_node import CalicoNode
from calico_lab.local.network.hosts import create_hosts
from calico_lab.local.network.pods import PodNetwork
from calico_lab.local.network.services import ServiceProxy
from calico_lab.local.network.switch import Switch
from calico_lab.local.objects import is_ready
from calico_lab.local.parts import Parts, Run
from calico_lab.local.process import reap_orphans
from calico_lab.local.start import launch, root
from calico_lab.local.start.connection import USER, kubeconfig
from calico_lab.local.start.namespaces import Namespaces
from calico_lab.local.start.settings import ALIVE, API_SOCKET, PROGRESS, READY, SSH_SOCKET, Credentials, Settings
from calico_lab.local.topology import API_PORT, BASTION, CONTROL1, HOSTS, NODES, Host

logger = logging.getLogger(__name__)

FOLDER_LOOK_SECONDS = 0.5
CONTROLLERS = "system:kube-controller-manager"
INSIDE_API = f"https://{CONTROL1.address}:{API_PORT}"


def main() -> None:
    """Run the lab that standard input describes (see ``settings``) until killed."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    line = sys.stdin.readline()
    if not line:
        _end("the command that was starting it has ended")
    settings = Settings.from_line(line)
    launch.own_namespaces()
    root.enter_new_root(settings.visible, settings.staging)
    launch.seal()
    hosts = create_hosts()
    _report("four hosts on one switch")
    line = sys.stdin.readline()
    if not line:
        _end("the command that was starting it has ended")
    garbage.collect_seldom()
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
        self._parts = Parts(self._tasks, EventRecorder(self._client(CONTROLLERS), "calico-lab"))
        self._switch = Switch()

    async def run(self) -> None:
        """Run until killed."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGCHLD, reap_orphans)
        loop.add_signal_handler(signal.SIGTERM, _end, "it was told to (SIGTERM)")
        async with self._tasks:
            self._tasks.create_task(_end_without_folder(), name="state folder")
            self._tasks.create_task(self._switch.run(), name="switch")
            self._serve_api()
            self._run_controllers()
            for host in NODES:
                self._run_node(host)
            self._run_bastion()
            await self._nodes_ready()
            _report("three nodes Ready")
            await self._routers_answer()
            _report("BIRD on every host")
            _report(READY)
            with suppress(OSError):
                os.close(PROGRESS)

    def _serve_api(self) -> None:
        outside = socket.socket(fileno=API_SOCKET)
        with self._hosts[CONTROL1.name].entered():
            inside = socket.create_server((str(CONTROL1.address), API_PORT), backlog=128)
        tls = _server_tls(self._credentials)
        handler = Control(self._server.handle, self._credentials.token, self._parts, self._switch).handle

        async def run() -> None:
            # Copies: what serves them closes them when it ends, and these must last for the next time.
            await serve_api(handler, [outside.dup(), inside.dup()], tls)

        self._parts.keep_running("API server", CONTROL1, run)

    def _run_controllers(self) -> None:
        for controller in all_controllers(self._client(CONTROLLERS), certificate_authority=self._authority):
            self._parts.keep_running(controller.name, CONTROL1, controller.run)

    def _run_node(self, host: Host) -> None:
        namespaces = self._hosts[host.name]
        client = self._client(_node_user(host), host)
        network = PodNetwork(host, namespaces)
        kubelet = Kubelet(client, host, namespaces, network, self._programs, self._authority)
        self._server.connect_kubelet(host.name, self._switch.to_kubelet(host, kubelet.handle))
        self._parts.keep_running(f"kubelet of {host.name}", host, kubelet.run)
        calico_node = CalicoNode(client, host, namespaces, self._programs)
        self._run_bird(calico_node.bird, host, calico_node.run_bird)
        for controller in (calico_node, ServiceProxy(client, host, namespaces, self._programs)):
            self._parts.keep_running(controller.name, host, controller.run)

    def _run_bastion(self) -> None:
        namespaces = self._hosts[BASTION.name]
        bastion_host.prepare(namespaces, self._programs, kubeconfig(INSIDE_API, self._credentials))
        bird = Bird(BASTION.name, namespaces, self._programs, BASTION_CONFIGURATION, BASTION_CONTROL_SOCKET)
        self._run_bird(bird, BASTION, bird.run)
        nodes = {host.name: self._hosts[host.name] for host in NODES}
        for node in nodes.values():
            bastion_host.prepare_node(node, self._programs)
        listening = socket.socket(fileno=SSH_SOCKET)
        keys = self._credentials.ssh_host_key, self._credentials.ssh_client_public_key
        serve = partial(bastion_host.serve, [listening], *keys, namespaces, bird, nodes)
        self._parts.keep_running("SSH server", BASTION, serve)

    def _run_bird(self, bird: Bird, host: Host, run: Run) -> None:
        name = f"BIRD of {host.name}"
        bird.on_end = partial(self._parts.ended, name)
        self._parts.keep_running(name, host, run)

    def _client(self, user: str, host: Host = CONTROL1) -> ApiClient:
        """Return a client for a user whose programs run on ``host``: no cable, no answer."""
        handler = self._server.handle if host == CONTROL1 else self._switch.to_api_server(host, self._server.handle)
        return ApiClient(handler, user=user, token=self._tokens[user])

    async def _nodes_ready(self) -> None:
        client = self._client(CONTROLLERS)
        while True:
            nodes, _ = await client.list(resources.NODES)
            if len(nodes) == len(NODES) and all(is_ready(node) for node in nodes):
                return
            await asyncio.sleep(0.01)

    async def _routers_answer(self) -> None:
        for host in HOSTS:
            control_socket = BASTION_CONTROL_SOCKET if host == BASTION else NODE_CONTROL_SOCKET
            while not _exists_on(self._hosts[host.name], control_socket):  # noqa: ASYNC110 - BIRD tells nobody
                await asyncio.sleep(0.01)


def _exists_on(host: Namespaces, path: Path) -> bool:
    with host.entered():
        return path.exists()


def _node_user(host: Host) -> str:
    return f"system:node:{host.name}"


async def _end_without_folder() -> None:
    """End the lab when its state folder has been deleted: nobody could find it any more, not even to stop it."""
    while os.fstat(ALIVE).st_nlink:  # noqa: ASYNC110 - inotify would tell no sooner, and is in short supply
        await asyncio.sleep(FOLDER_LOOK_SECONDS)
    _end("its state folder is gone")


def _server_tls(credentials: Credentials) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile("w", dir="/run") as file:  # ssl only reads files; this one is in memory
        file.write(credentials.server_certificate + credentials.server_key)
        file.flush()
        context.load_cert_chain(file.name)
    context.set_alpn_protocols(["http/1.1"])
    trust_clients_of(context, credentials.certificate_authority)
    return context


def _report(step: str) -> None:
    """Tell a step to the command that starts the lab. If that has ended, nobody waits for this lab, and it ends too."""
    try:
        os.write(PROGRESS, f"{step}\n".encode())
    except BrokenPipeError:
        _end("the command that was starting it has ended")


def _end(why: str) -> NoReturn:
    """End this process, the init of its PID namespace, and so everything in the lab."""
    logger.warning("the lab ends: %s", why)
    os._exit(1)


if __name__ == "__main__":
    main()
