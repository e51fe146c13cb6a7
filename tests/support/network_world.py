"""A whole network of the lab, driven by the real API server in this process, without kubelets or controllers.

Pods are listeners of this process, made inside the pods' namespaces, that answer with their name and their client's
address.
"""

import asyncio
import socket
from dataclasses import dataclass
from pathlib import Path

from calico_lab.local import process, resources
from calico_lab.local.apiserver.server import ApiServer
from calico_lab.local.client import ApiClient
from calico_lab.local.network import bird
from calico_lab.local.network.calico_node import CalicoNode
from calico_lab.local.network.hosts import create_hosts
from calico_lab.local.network.pods import PodNetwork
from calico_lab.local.network.services import ServiceProxy
from calico_lab.local.start import programs
from calico_lab.local.start.namespaces import Namespaces
from calico_lab.local.topology import BASTION, NODES
from support.eventually import LIMIT_SECONDS

TOKEN = "a-token-of-the-tests"
SESSIONS = ("control1", "worker1", "worker2")


@dataclass(frozen=True)
class Pod:
    name: str
    node: str
    address: str
    namespaces: Namespaces


class World:
    """Hosts, their BIRDs and rules, and the API that tells them what to do."""

    def __init__(self):
        self.programs = programs.find()
        self.hosts = create_hosts()
        self.networks = {host.name: PodNetwork(host, self.hosts[host.name]) for host in NODES}
        self.client = ApiClient(ApiServer(seed="tests", tokens={TOKEN: "kubernetes-admin"}).handle, token=TOKEN)
        at = bird.BASTION_CONFIGURATION, bird.BASTION_CONTROL_SOCKET
        self.bird = bird.Bird(BASTION.name, self.hosts["bastion"], self.programs, *at)
        self.servers = []
        self.tasks = []

    async def start(self):
        with self.hosts["bastion"].entered():
            bird.write_bastion_configuration()
        self.run_part(self.bird.run())
        for host in NODES:
            addresses = [{"type": "InternalIP", "address": str(host.address)}]
            node = {"metadata": {"name": host.name}, "status": {"addresses": addresses}}
            await self.client.create(resources.NODES, node)
            await self.client.replace(resources.NODES, node, subresource="status")
            given = self.client, host, self.hosts[host.name], self.programs
            node = CalicoNode(*given)
            for run in (node.run, node.run_bird, ServiceProxy(*given).run):
                self.run_part(run())

    def run_part(self, running):
        self.tasks.append(asyncio.create_task(running))

    async def stop(self):
        """End everything; raises what made a part end by itself."""
        for server in self.servers:
            server.close()
        ended = [task for task in self.tasks if task.done()]
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        assert not ended, ended

    async def run(self, host, command):
        """Run a shell command on a host and return its output."""
        _exit_code, output = await process.run(["/bin/bash", "-c", command], inside=self.hosts[host])
        return output.decode()

    async def birdc(self, host, *words):
        at = bird.BASTION_CONTROL_SOCKET if host == "bastion" else bird.NODE_CONTROL_SOCKET
        command = [str(self.programs.birdc), "-s", str(at), *words]
        _exit_code, output = await process.run(command, inside=self.hosts[host])
        return output.decode()

    async def nft(self, host, *words):
        environment = {"LD_LIBRARY_PATH": str(self.programs.nft_libraries)}
        command = [str(self.programs.nft), *words]
        _exit_code, output = await process.run(command, inside=self.hosts[host], environment=environment)
        return output.decode()

    async def established(self, host="bastion"):
        """Return the names of a host's sessions that are up."""
        lines = (await self.birdc(host, "show", "protocols")).splitlines()
        return [line.split()[0] for line in lines if "Established" in line]

    async def route(self, host, destination):
        """Return what `ip route` says of one destination, as the kernel of a host has it."""
        return await self.run(host, f"ip route show {destination}")

    async def knows_pod_blocks(self):
        """Whether every node has a route to the pods of every other."""
        routes = [await self.run(host.name, "ip route") for host in NODES]
        return all(f"{host.pod_block} " in text for host in NODES for text in routes)

    async def pod(self, name, node, port=3000):
        namespaces, address = self.networks[node].attach(name, lambda: None)
        with namespaces.entered():
            listening = socket.create_server(("0.0.0.0", port), backlog=64)

        async def answer(reader, writer):
            client, _port = writer.get_extra_info("peername")
            writer.write(f"{name} to {client}".encode())
            writer.close()

        self.servers.append(await asyncio.start_server(answer, sock=listening))
        return Pod(name, node, str(address), namespaces)

    async def ask(self, inside, address, port, limit=LIMIT_SECONDS):
        """Connect from inside a host or pod; return "POD to CLIENT", or raise OSError or TimeoutError."""
        with inside.entered():
            client = socket.socket()
        client.setblocking(False)
        with client:
            loop = asyncio.get_running_loop()
            async with asyncio.timeout(limit):
                await loop.sock_connect(client, (address, port))
                return (await loop.sock_recv(client, 100)).decode()

    async def serve(self, name, pods, *, address="", port=80, target=3000, **spec):
        """Make a Service and its EndpointSlice, and give it a load balancer address."""
        ports = [{"name": "http", "port": port, "targetPort": target}]
        service = {"metadata": {"name": name, "namespace": "default"}, "spec": {"ports": ports} | spec}
        if address:
            service["spec"]["type"] = "LoadBalancer"
        service = await self.client.create(resources.SERVICES, service)
        if address:
            status = {"loadBalancer": {"ingress": [{"ip": address}]}}
            await self.client.replace(resources.SERVICES, service | {"status": status}, subresource="status")
        await self.client.create(resources.ENDPOINT_SLICES, endpoint_slice(name, pods, target))
        return service["spec"]

    async def move(self, name, pods, target=3000):
        """Let a Service lead to other pods."""
        change = {"endpoints": endpoint_slice(name, pods, target)["endpoints"]}
        await self.client.patch(resources.ENDPOINT_SLICES, f"{name}-slice", "default", change)

    def packets(self, host, link="eth0"):
        """Return how many packets a host has sent and received over a link."""
        with self.hosts[host].entered():
            lines = Path("/proc/thread-self/net/dev").read_text().splitlines()
        numbers = next(line.split() for line in lines if line.split()[0] == f"{link}:")
        return int(numbers[2]) + int(numbers[10])


def endpoint_slice(service, pods, port):
    labels = {"kubernetes.io/service-name": service}
    endpoints = [{"addresses": [pod.address], "nodeName": pod.node, "conditions": {"ready": True}} for pod in pods]
    return {
        "metadata": {"name": f"{service}-slice", "namespace": "default", "labels": labels},
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
        "endpoints": endpoints,
    }
