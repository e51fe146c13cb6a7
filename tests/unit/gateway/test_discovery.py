"""The discovery service over the network: who may ask, and how an Envoy gets along while it is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import grpc
import grpc.aio
import pytest
from support.envoys import NAME, Backend, Envoy, certificates, write_certificates
from support.gateway_api import http_route, model
from support.ports import free_port, free_ports

from calico_lab.local.controllers.envoy_gateway_discovery import METHOD, PATIENCE_SECONDS, SERVICE, DiscoveryService
from calico_lab.local.envoy.delta_discovery import DeltaDiscoveryRequest, DeltaDiscoveryResponse
from calico_lab.local.envoy.snapshot import Kind, SnapshotMaker


@pytest.fixture
def folder(tmp_path):
    write_certificates(tmp_path)
    return tmp_path


def credentials(folder: Path, *, own: bool = True) -> grpc.ChannelCredentials:
    authority, key, certificate = ((folder / "client" / name).read_bytes() for name in ("ca.crt", "tls.key", "tls.crt"))
    return grpc.ssl_channel_credentials(authority, *((key, certificate) if own else ()))


@asynccontextmanager
async def stream(port: int, credentials: grpc.ChannelCredentials) -> AsyncIterator[grpc.aio.StreamStreamCall]:
    options = (("grpc.ssl_target_name_override", NAME),)
    async with grpc.aio.secure_channel(f"127.0.0.1:{port}", credentials, options) as channel:
        yield channel.stream_stream(
            f"/{SERVICE}/{METHOD}",
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=DeltaDiscoveryResponse.FromString,
        )()


async def ask(call: grpc.aio.StreamStreamCall, kind: Kind, gateway: str = NAME) -> None:
    request = DeltaDiscoveryRequest(type_url=kind)
    request.node.cluster = gateway
    await call.write(request)


async def told(port: int, credentials: grpc.ChannelCredentials, gateway: str = NAME) -> list[str]:
    """The names of the clusters that an Envoy of a Gateway is told at once."""
    async with stream(port, credentials) as call:
        await ask(call, Kind.CLUSTER, gateway)
        response = await asyncio.wait_for(call.read(), 1)
        return [each.name for each in response.resources]


@pytest.fixture
async def service():
    service = DiscoveryService()
    service.publish({NAME: SnapshotMaker().snapshot(model())})
    return service


@pytest.fixture
async def port(service, folder):
    async with service.serving("127.0.0.1:0", folder / "server") as port:
        yield port


async def test_an_envoy_is_told_what_its_gateway_needs(folder, port):
    assert await told(port, credentials(folder)) == ["httproute/default/round-robin-route/rule/0"]


async def test_an_envoy_of_another_gateway_is_told_nothing(folder, port):
    with pytest.raises(TimeoutError):
        await told(port, credentials(folder), "default/another")


async def test_who_has_no_certificate_is_told_nothing(folder, port):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await told(port, credentials(folder, own=False))
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_clusters_that_nobody_answers_hold_up_the_rest_for_a_moment_whatever_else_happens(folder, service, port):
    async def changes():
        while True:
            service.publish({NAME: SnapshotMaker().snapshot(model())})
            await asyncio.sleep(PATIENCE_SECONDS / 5)

    async with stream(port, credentials(folder)) as call:
        await ask(call, Kind.CLUSTER)
        assert (await call.read()).type_url == Kind.CLUSTER
        await ask(call, Kind.LISTENER)
        others = asyncio.create_task(changes())
        assert (await asyncio.wait_for(call.read(), 4 * PATIENCE_SECONDS)).type_url == Kind.LISTENER
        others.cancel()


async def test_other_certificates_are_taken_up(folder, port):
    before = credentials(folder)
    write_certificates(folder, certificates.__wrapped__())
    assert await told(port, credentials(folder))
    with pytest.raises(grpc.aio.AioRpcError):
        await told(port, before)


async def test_an_envoy_goes_on_without_the_service_and_hears_of_changes_when_it_is_back(tmp_path):
    folder = tmp_path / "xds"
    folder.mkdir()
    backend = Backend()
    await backend.start()
    envoy, address = Envoy(folder, free_ports(4), [backend]), f"127.0.0.1:{free_port()}"
    envoy.apply()
    async with AsyncExitStack() as stack:
        async with envoy.serving(address) as port:
            await stack.enter_async_context(envoy.process(port))
            await envoy.takes_up()
        envoy.apply(http_routes=[http_route(name="another")])
        assert (await envoy.get()).status == 200
        async with envoy.serving(address):
            await envoy.takes_up()
            assert (await envoy.get()).status == 200
    backend.stop()
