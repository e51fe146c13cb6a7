"""Cables: pulled at either end they carry nothing, and what goes between kubelet and API server waits with them."""

import asyncio
from contextlib import suppress

import pytest
from support.eventually import LIMIT_SECONDS, eventually

from calico_lab.errors import ApiError
from calico_lab.local.network import switch as module
from calico_lab.local.network.switch import Switch
from calico_lab.local.topology import CONTROL1, WORKER1, WORKER2
from calico_lab.local.wire import Request, Response

REQUEST = Request("GET", "/healthz")


@pytest.fixture
async def switch(world):
    switch = Switch()
    watching = asyncio.create_task(switch.run())
    yield switch
    for host in (CONTROL1, WORKER1):
        switch.join(host)
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching


async def answer(request):
    async def lines():
        yield b"one"
        yield b"two"

    return Response(200, stream=lines())


async def test_a_pulled_cable_carries_nothing_until_it_is_put_back(world, switch):
    switch.cut(WORKER1)
    assert not switch.carries(WORKER1)
    assert switch.carries(WORKER2)
    assert "NO-CARRIER" in await world.run("worker1", "ip link show eth0")
    switch.join(WORKER1)
    await eventually(lambda: switch.carries(WORKER1))
    assert "LOWER_UP" in await world.run("worker1", "ip link show eth0")


async def test_a_link_taken_down_on_the_host_is_seen_too(world, switch):
    await world.run("worker1", "ip link set eth0 down")
    await eventually(lambda: not switch.carries(WORKER1))
    await world.run("worker1", "ip link set eth0 up; ip route add default via 10.0.1.1")
    await eventually(lambda: switch.carries(WORKER1))


async def test_a_request_waits_for_the_cable(switch):
    send = switch.to_api_server(WORKER1, answer)
    switch.cut(WORKER1)
    sent = asyncio.create_task(send(REQUEST))
    await asyncio.sleep(0.05)
    assert not sent.done()
    switch.join(WORKER1)
    assert (await asyncio.wait_for(sent, LIMIT_SECONDS)).status == 200


@pytest.mark.parametrize("host", [WORKER1, CONTROL1])
async def test_a_request_fails_when_the_cable_stays_out_at_either_end(switch, monkeypatch, host):
    monkeypatch.setattr(module, "CONNECT_SECONDS", 0.05)
    switch.cut(host)
    with pytest.raises(OSError, match="No route to host"):
        await switch.to_api_server(WORKER1, answer)(REQUEST)


async def test_control1_needs_no_cable_for_itself(switch):
    switch.cut(CONTROL1)
    assert (await switch.to_api_server(CONTROL1, answer)(REQUEST)).status == 200


async def test_a_stream_is_held_up_and_loses_nothing(switch):
    stream = (await switch.to_api_server(WORKER1, answer)(REQUEST)).stream
    assert await anext(stream) == b"one"
    switch.cut(WORKER1)
    second = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0.05)
    assert not second.done()
    switch.join(WORKER1)
    assert await asyncio.wait_for(second, LIMIT_SECONDS) == b"two"


async def test_a_kubelet_cut_off_cannot_be_asked(switch):
    ask = switch.to_kubelet(WORKER1, answer)
    assert (await ask(REQUEST)).status == 200
    switch.cut(WORKER1)
    with pytest.raises(ApiError, match=r"dial tcp 10\.0\.1\.31:10250: connect: no route to host"):
        await ask(REQUEST)
