"""Envoy Gateway as the program that a pod runs, against the real API server over TLS."""

import asyncio
import signal
import socket
import ssl
import sys

import pytest
from support import gateway_api
from support.envoys import write_certificates
from support.eventually import LIMIT_SECONDS, eventually

from calico_lab import errors
from calico_lab.local import in_cluster, resources
from calico_lab.local.apiserver.http import serve
from calico_lab.local.client import ApiClient
from calico_lab.local.controllers import envoy_gateway_infrastructure as infrastructure
from calico_lab.local.start.credentials import issue


@pytest.fixture
async def account(server, tmp_path, monkeypatch):
    """A pod's environment and service account, and the API server behind them."""
    credentials = issue()
    for name, text in {
        "ca.crt": credentials.certificate_authority,
        "server.pem": credentials.server_certificate + credentials.server_key,
        "token": "a-token-of-the-tests",
    }.items():
        (tmp_path / name).write_text(text)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "server.pem")
    listening = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(listening.getsockname()[1]))
    serving = asyncio.create_task(serve(server.handle, [listening], tls))
    yield tmp_path
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


async def test_objects_are_written_read_and_watched(account):
    async with in_cluster.connection(account) as handler:
        client = ApiClient(handler)
        _, version = await client.list(resources.CONFIG_MAPS)
        events = client.watch(resources.CONFIG_MAPS, version)
        made = await client.create(resources.CONFIG_MAPS, {"metadata": {"name": "a", "namespace": "default"}})
        assert (await anext(events)).object["metadata"]["uid"] == made["metadata"]["uid"]
        await events.aclose()


async def test_refusals_are_the_servers(account):
    async with in_cluster.connection(account) as handler:
        with pytest.raises(errors.NotFound, match='configmaps "b" not found'):
            await ApiClient(handler).get(resources.CONFIG_MAPS, "b", "default")


async def test_a_server_that_is_not_there_is_a_connection_error(account, monkeypatch):
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "1")
    async with in_cluster.connection(account) as handler:
        with pytest.raises(ConnectionError):
            await ApiClient(handler).list(resources.CONFIG_MAPS)


PROGRAM = """
import asyncio, pathlib, sys
from calico_lab.local.controllers.envoy_gateway import run
asyncio.run(run(pathlib.Path(sys.argv[1]), "127.0.0.1:0", pathlib.Path(sys.argv[2])))
"""


async def test_the_program_runs_until_it_is_told_to_end(operated, account, tmp_path):
    write_certificates(tmp_path)
    arguments = ["-c", PROGRAM, str(account), str(tmp_path / "server")]
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments)
    await operated.guide()
    name = infrastructure.name(gateway_api.GATEWAY)
    await eventually(lambda: operated.find(resources.DEPLOYMENTS, name, "tigera-gateway"))
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), LIMIT_SECONDS) == 0
