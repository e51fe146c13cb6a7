"""Services as clients in every place meet them: other pods, nodes, and hosts outside the cluster."""

import asyncio
import socket

import pytest
from support.eventually import LIMIT_SECONDS, eventually

from calico_lab.local import resources

BASTION_ADDRESS = "10.0.1.10"
WORKER1_ADDRESS, WORKER2_ADDRESS, CONTROL1_ADDRESS = "10.0.1.31", "10.0.1.30", "10.0.1.20"


@pytest.fixture(scope="session")
async def pods(world):
    """Two pods behind the services of these tests, one on each worker, that can reach each other."""
    made = [await world.pod("one", "worker1"), await world.pod("two", "worker2")]
    await eventually(world.knows_pod_blocks)
    return made


@pytest.fixture(scope="session")
async def backend(world, pods):
    return await _served(world, "backend", pods, type="NodePort")


@pytest.fixture(scope="session")
async def local(world, pods):
    """A service that leads outsiders only to pods on the node that they come to, and has one on worker1."""
    return await _served(world, "local", pods[:1], address="10.10.10.5", externalTrafficPolicy="Local")


async def test_connections_from_a_pod_end_at_every_endpoint(world, pods, backend):
    answers = {await world.ask(pods[0].namespaces, backend["clusterIP"], 80) for _ in range(40)}
    # A pod that meets itself sees its node as the client: otherwise it would answer itself directly.
    assert answers == {f"one to {WORKER1_ADDRESS}", f"two to {pods[0].address}"}


@pytest.mark.parametrize(("node", "address"), [("control1", CONTROL1_ADDRESS), ("worker1", WORKER1_ADDRESS)])
async def test_a_node_reaches_a_service_under_its_own_address(world, backend, node, address):
    answers = {await world.ask(world.hosts[node], backend["clusterIP"], 80) for _ in range(40)}
    assert answers == {f"one to {address}", f"two to {address}"}


async def test_every_node_answers_on_the_node_port(world, backend):
    port = backend["ports"][0]["nodePort"]
    for address in (CONTROL1_ADDRESS, WORKER1_ADDRESS, WORKER2_ADDRESS):
        answers = {await world.ask(world.hosts["bastion"], address, port) for _ in range(40)}
        assert {answer.split()[0] for answer in answers} == {"one", "two"}


async def test_with_the_policy_local_the_client_keeps_its_address(world, local):
    port = local["ports"][0]["nodePort"]
    assert await world.ask(world.hosts["bastion"], WORKER1_ADDRESS, port) == f"one to {BASTION_ADDRESS}"


async def test_with_the_policy_local_a_node_without_a_pod_stays_silent(world, local):
    with pytest.raises(TimeoutError):
        await world.ask(world.hosts["bastion"], WORKER2_ADDRESS, local["ports"][0]["nodePort"], limit=0.3)


async def test_the_policy_local_does_not_bind_pods_and_nodes(world, pods, local):
    assert await world.ask(pods[1].namespaces, "10.10.10.5", 80) == f"one to {pods[1].address}"
    assert await world.ask(world.hosts["control1"], "10.10.10.5", 80) == f"one to {CONTROL1_ADDRESS}"


async def test_with_the_internal_policy_local_a_pod_reaches_only_its_own_node(world, pods):
    spec = await _served(world, "inner", pods, internalTrafficPolicy="Local")
    answers = {await world.ask(pods[1].namespaces, spec["clusterIP"], 80) for _ in range(20)}
    assert answers == {f"two to {WORKER2_ADDRESS}"}


async def test_a_service_without_endpoints_refuses(world, pods):
    spec = await _served(world, "empty", [], type="NodePort")
    with pytest.raises(ConnectionRefusedError):
        await world.ask(pods[0].namespaces, spec["clusterIP"], 80)
    with pytest.raises(ConnectionRefusedError):
        await world.ask(world.hosts["control1"], spec["clusterIP"], 80)
    with pytest.raises(ConnectionRefusedError):
        await world.ask(world.hosts["bastion"], WORKER1_ADDRESS, spec["ports"][0]["nodePort"])


async def test_a_port_that_the_service_lacks_refuses(world, pods, backend):
    with pytest.raises(ConnectionRefusedError):
        await world.ask(pods[0].namespaces, backend["clusterIP"], 81)


async def test_the_bastion_cannot_reach_cluster_addresses(world, backend):
    with pytest.raises(OSError, match="Errno 101"):
        await world.ask(world.hosts["bastion"], backend["clusterIP"], 80)


async def test_pods_leave_the_pod_network_under_their_nodes_address(world, pods):
    with world.hosts["bastion"].entered():
        listening = await asyncio.start_server(_tell_client, BASTION_ADDRESS, 8000)
    async with listening:
        assert await world.ask(pods[1].namespaces, BASTION_ADDRESS, 8000) == WORKER2_ADDRESS


async def test_a_connection_lives_on_while_rules_change(world, pods):
    with pods[0].namespaces.entered():
        listening = await asyncio.start_server(_echo_lines, "0.0.0.0", 3001)
    spec = await _served(world, "long", pods[:1], target=3001)
    with pods[1].namespaces.entered():
        client = socket.create_connection((spec["clusterIP"], 80), timeout=1)
    reader, writer = await asyncio.open_connection(sock=client)
    async with listening:
        assert await _exchange(reader, writer, b"before\n") == b"before\n"
        await _served(world, "another", pods)
        assert await _exchange(reader, writer, b"after\n") == b"after\n"
    writer.close()


async def test_a_removed_endpoint_gets_no_new_connection(world, pods):
    spec = await _served(world, "shrinking", pods)
    await world.move("shrinking", pods[:1])
    await asyncio.sleep(0.1)
    answers = {await world.ask(pods[1].namespaces, spec["clusterIP"], 80) for _ in range(20)}
    assert answers == {f"one to {pods[1].address}"}


async def test_a_deleted_service_is_gone(world, pods):
    spec = await _served(world, "short", pods)
    await world.client.delete(resources.SERVICES, "short", "default")
    await eventually(lambda: _fails(world.ask(pods[0].namespaces, spec["clusterIP"], 80, limit=0.2)))


async def _served(world, name, to, **fields):
    """Make a service and wait until every node has its rules."""
    spec = await world.serve(name, to, **fields)
    mark = f"/{name}/"
    for node in world.networks:
        await eventually(lambda node=node: _has_rules(world, node, mark if to else spec["clusterIP"]))
    return spec


async def _has_rules(world, node, text):
    return text in await world.nft(node, "list", "table", "ip", "kube-proxy")


async def _tell_client(_reader, writer):
    writer.write(writer.get_extra_info("peername")[0].encode())
    writer.close()


async def _echo_lines(reader, writer):
    while line := await reader.readline():
        writer.write(line)
    writer.close()


async def _exchange(reader, writer, line):
    writer.write(line)
    async with asyncio.timeout(LIMIT_SECONDS):
        return await reader.readline()


async def _fails(question):
    try:
        await question
    except (OSError, TimeoutError):
        return True
    return False
