"""TLS and TCP listeners as the real Envoy serves them: handshakes, names, certificates, connections."""

import asyncio
import socket
from contextlib import AsyncExitStack

import pytest
from support.certificates import pair, tls_secret
from support.envoys import Backend, Envoy, get
from support.gateway_api import (
    backend,
    connection_route,
    endpoints,
    gateway,
    http_route,
    listener,
    passthrough,
    rule,
    secure,
    service,
)
from support.ports import free_ports
from support.tls_clients import ask, echo_server, exchange, server_context

ONE, OTHER, WILD = pair("one.example.com"), pair("other.example.com"), pair("*.example.org")
HTTPS = [http_route(hostnames=[])]


@pytest.fixture
async def stopped(tmp_path):
    backends = [Backend()]
    await backends[0].start()
    folder = tmp_path / "xds"
    folder.mkdir()
    yield Envoy(folder, free_ports(4), backends)
    backends[0].stop()
    # Whatever Envoy refuses, it says so; that a file is gone it says for as long as it drains what used the file.
    warnings = [line for line in (tmp_path / "envoy.log").read_text().splitlines() if "[warning]" in line]
    assert not [line for line in warnings if "Invalid path" not in line]


async def apply(envoy, *listeners, **changes):
    """Publish, and where Envoy runs already see that it has taken everything up."""
    running = bool(envoy.published)
    envoy.apply(gateways=[gateway(*listeners)], **changes)
    if running:
        await envoy.takes_up()


def to(port, name="backend"):
    """The Service and the endpoints of a server on this machine."""
    return {"services": [service(name)], "endpoint_slices": [endpoints("127.0.0.1", name=name, port=port)]}


async def test_https_with_http_1_and_2(stopped):
    await apply(stopped, secure("https", "one", port=stopped.port), secrets=[tls_secret("one", ONE)], http_routes=HTTPS)
    async with stopped.running() as envoy:
        seen = await ask(envoy.port, "one.example.com")
        assert (seen.certificate, seen.protocol) == (ONE.der, "http/1.1")
        assert seen.answer.startswith("HTTP/1.1 200 OK")
        assert (await ask(envoy.port, "any", protocols=("h2", "http/1.1"))).protocol == "h2"


async def test_each_name_has_its_certificate_and_its_routes(stopped):
    listeners = [
        secure("one", "one", hostname="one.example.com", port=stopped.port),
        secure("wild", "wild", hostname="*.example.org", port=stopped.port),
    ]
    routes = [http_route(rule(backend(), path="/round"), hostnames=[], parentRefs=[_parent("one")])]
    secrets = [tls_secret("one", ONE), tls_secret("wild", WILD)]
    await apply(stopped, *listeners, secrets=secrets, http_routes=routes)
    async with stopped.running() as envoy:
        one, wild = await ask(envoy.port, "one.example.com"), await ask(envoy.port, "a.example.org")
        assert (one.certificate, wild.certificate) == (ONE.der, WILD.der)
        assert (one.answer.split()[1], wild.answer.split()[1]) == ("200", "404")
        with pytest.raises(OSError):  # noqa: PT011  closed or reset, as it comes
            await ask(envoy.port, "nobody.example.net")


def _parent(section):
    return {"name": "load-balancing-gateway", "sectionName": section}


async def test_a_listener_chooses_among_its_certificates(stopped):
    secrets = [tls_secret("one", ONE), tls_secret("other", OTHER)]
    await apply(stopped, secure("https", "one", "other", port=stopped.port), secrets=secrets, http_routes=HTTPS)
    async with stopped.running() as envoy:
        assert (await ask(envoy.port, "one.example.com")).certificate == ONE.der
        assert (await ask(envoy.port, "other.example.com")).certificate == OTHER.der


async def test_listeners_whose_names_overlap_offer_http_1_alone(stopped):
    listeners = [
        secure("all", "one", hostname="*.example.com", port=stopped.port),
        secure("one", "other", hostname="one.example.com", port=stopped.port),
    ]
    secrets = [tls_secret("one", ONE), tls_secret("other", OTHER)]
    await apply(stopped, *listeners, secrets=secrets, http_routes=HTTPS)
    async with stopped.running() as envoy:
        assert (await ask(envoy.port, "one.example.com", protocols=("h2", "http/1.1"))).protocol == "http/1.1"


async def test_a_rotated_certificate_is_taken_up_and_no_request_is_lost(stopped):
    async def rotate(content):
        listeners = [secure("https", "one", port=stopped.port)]
        await apply(stopped, *listeners, secrets=[tls_secret("one", content)], http_routes=HTTPS)

    await rotate(ONE)
    async with stopped.running() as envoy:
        # A connection from before stays, and is used after.
        reader, writer = await _kept_connection(envoy.port)
        done = asyncio.Event()
        loads = [asyncio.create_task(_load(envoy.port, done)) for _ in range(4)]
        new = [pair("one.example.com") for _ in range(10)]
        for content in new:
            await rotate(content)
            async with asyncio.timeout(2):
                while (await ask(envoy.port, "one.example.com")).certificate != content.der:
                    pass
        done.set()
        answers = [answer for load in await asyncio.gather(*loads) for answer in load]
        assert len(answers) > 50
        assert {answer.split()[1] for answer in answers} == {"200"}
        writer.write(b"GET /round HTTP/1.1\r\nhost: one.example.com\r\n\r\n")
        assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        writer.close()


async def _kept_connection(port):
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="one.example.com")


async def _load(port, done):
    answers = []
    while not done.is_set():
        answers.append((await ask(port, "one.example.com")).answer)
    return answers


async def test_another_certificate_in_the_listener_loses_no_request(stopped):
    async def use(*names):
        secrets = [tls_secret("one", ONE), tls_secret("other", OTHER)]
        await apply(stopped, secure("https", *names, port=stopped.port), secrets=secrets, http_routes=HTTPS)

    await use("one")
    async with stopped.running() as envoy:
        done = asyncio.Event()
        loads = [asyncio.create_task(_load(envoy.port, done)) for _ in range(2)]
        for _ in range(5):
            await use("other")
            await use("one")
        done.set()
        answers = [answer for load in await asyncio.gather(*loads) for answer in load]
        assert {answer.split()[1] for answer in answers} == {"200"}


async def test_passthrough_reaches_the_backends_own_certificate(stopped, tmp_path):
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(echo_server(server_context(ONE, tmp_path)))
        route = connection_route("TLSRoute", hostnames=["one.example.com"])
        await apply(stopped, passthrough(port=stopped.port), tls_routes=[route], http_routes=[], **to(port))
        envoy = await stack.enter_async_context(stopped.running())
        seen = await ask(envoy.port, "one.example.com", protocols=(), send=b"hello")
        assert (seen.certificate, seen.answer) == (ONE.der, "hello")
        with pytest.raises(OSError):  # noqa: PT011
            await ask(envoy.port, "other.example.com")


async def test_tls_routes_are_told_apart_by_name(stopped, tmp_path):
    async with AsyncExitStack() as stack:
        (tmp_path / "b").mkdir()
        first = await stack.enter_async_context(echo_server(server_context(ONE, tmp_path)))
        second = await stack.enter_async_context(echo_server(server_context(WILD, tmp_path / "b")))
        routes = [
            connection_route("TLSRoute", backend("backend"), name="one", hostnames=["one.example.com"]),
            connection_route("TLSRoute", backend("backend2"), name="all", hostnames=["*.example.com"], created=1),
            # Its name is taken: Envoy would refuse the port if it got this one as well.
            connection_route("TLSRoute", backend("backend2"), name="late", hostnames=["one.example.com"], created=2),
        ]
        await apply(
            stopped,
            passthrough(port=stopped.port),
            tls_routes=routes,
            http_routes=[],
            services=[service(), service("backend2")],
            endpoint_slices=[
                endpoints("127.0.0.1", port=first),
                endpoints("127.0.0.1", name="backend2", port=second),
            ],
        )
        envoy = await stack.enter_async_context(stopped.running())
        seen = [await ask(envoy.port, name, protocols=()) for name in ("one.example.com", "x.example.com")]
        assert [each.certificate for each in seen] == [ONE.der, WILD.der]


async def test_https_and_passthrough_share_a_port(stopped, tmp_path):
    async with echo_server(server_context(ONE, tmp_path)) as port:
        listeners = [
            secure("https", "wild", hostname="*.example.org", port=stopped.port),
            passthrough(hostname="one.example.com", port=stopped.port),
        ]
        await apply(
            stopped,
            *listeners,
            secrets=[tls_secret("wild", WILD)],
            http_routes=HTTPS,
            tls_routes=[connection_route("TLSRoute", backend("backend2"))],
            services=[service(), service("backend2")],
            endpoint_slices=[
                endpoints("127.0.0.1", port=stopped.backends[0].port),
                endpoints("127.0.0.1", name="backend2", port=port),
            ],
        )
        async with stopped.running() as envoy:
            assert (await ask(envoy.port, "a.example.org")).answer.startswith("HTTP/1.1 200")
            assert (await ask(envoy.port, "one.example.com", protocols=())).certificate == ONE.der


async def test_tls_is_terminated_for_a_tcp_route(stopped):
    async with echo_server() as port:
        ending = secure("tls", "one", protocol="TLS", port=stopped.port)
        route = connection_route("TCPRoute")
        await apply(stopped, ending, secrets=[tls_secret("one", ONE)], tcp_routes=[route], http_routes=[], **to(port))
        async with stopped.running() as envoy:
            seen = await ask(envoy.port, "any", protocols=(), send=b"hello")
            assert (seen.certificate, seen.protocol, seen.answer) == (ONE.der, None, "hello")


async def test_two_terminating_listeners_on_a_port_have_a_route_each(stopped):
    async with echo_server(greeting=b"one") as first, echo_server(greeting=b"other") as second:
        listeners = [
            secure(name, name, protocol="TLS", hostname=f"{name}.example.com", port=stopped.port)
            for name in ("one", "other")
        ]
        routes = [
            connection_route("TCPRoute", backend(service_name), name=name, parentRefs=[_parent(name)])
            for name, service_name in (("one", "backend"), ("other", "backend2"))
        ]
        await apply(
            stopped,
            *listeners,
            secrets=[tls_secret("one", ONE), tls_secret("other", OTHER)],
            tcp_routes=routes,
            http_routes=[],
            services=[service(), service("backend2")],
            endpoint_slices=[
                endpoints("127.0.0.1", port=first),
                endpoints("127.0.0.1", name="backend2", port=second),
            ],
        )
        async with stopped.running() as envoy:
            seen = [await ask(envoy.port, f"{name}.example.com", protocols=(), send=b"") for name in ("one", "other")]
            assert [(each.certificate, each.answer) for each in seen] == [(ONE.der, "one"), (OTHER.der, "other")]


async def test_tcp_echoes(stopped):
    async with echo_server() as port:
        listeners = [listener("tcp", stopped.port, "TCP")]
        await apply(stopped, *listeners, tcp_routes=[connection_route("TCPRoute")], http_routes=[], **to(port))
        async with stopped.running() as envoy:
            assert await exchange(envoy.port) == b"hello"


async def test_tcp_connections_follow_the_weights(stopped):
    async with echo_server(greeting=b"a") as first, echo_server(greeting=b"b") as second:
        route = connection_route("TCPRoute", backend(weight=9), backend("backend2", weight=1))
        await apply(
            stopped,
            listener("tcp", stopped.port, "TCP"),
            tcp_routes=[route],
            http_routes=[],
            services=[service(), service("backend2")],
            endpoint_slices=[
                endpoints("127.0.0.1", port=first),
                endpoints("127.0.0.1", name="backend2", port=second),
            ],
        )
        async with stopped.running() as envoy:
            greetings = [(await exchange(envoy.port))[:1] for _ in range(400)]
            # Binomial with a standard deviation of 6: five of them is a chance of error under one in a million.
            assert 10 <= greetings.count(b"b") <= 70
            assert set(greetings) == {b"a", b"b"}


@pytest.mark.parametrize(
    "changes",
    [{"tcp_routes": []}, {"tcp_routes": [connection_route("TCPRoute", backend("missing"))]}],
    ids=["no route", "no backend"],
)
async def test_a_tcp_port_without_a_backend_closes_connections(stopped, changes):
    await apply(stopped, listener("tcp", stopped.port, "TCP"), http_routes=[], **changes)
    async with stopped.running() as envoy:
        assert await exchange(envoy.port) == b""


async def test_another_tcp_route_loses_no_connection(stopped):
    async with echo_server() as port:

        async def use(name):
            route = connection_route("TCPRoute", name=name)
            await apply(stopped, listener("tcp", stopped.port, "TCP"), tcp_routes=[route], http_routes=[], **to(port))

        await use("first")
        async with stopped.running() as envoy:
            kept = await asyncio.open_connection("127.0.0.1", envoy.port)
            for name in ("second", "third", "fourth"):
                await use(name)
                assert await exchange(envoy.port) == b"hello"
            kept[1].write(b"still there")
            assert await kept[0].read(100) == b"still there"
            kept[1].close()


async def test_http_goes_on_beside_a_new_https_port(stopped):
    ports = [stopped.port, stopped.port]
    with socket.create_server(("127.0.0.1", 0)) as free:
        ports[1] = free.getsockname()[1]
    plain = listener(port=ports[0])
    await apply(stopped, plain)
    async with stopped.running() as envoy:
        secured = secure("https", "one", port=ports[1])
        await apply(envoy, plain, secured, secrets=[tls_secret("one", ONE)], http_routes=HTTPS)
        assert (await get(ports[0])).status == 200
        assert (await ask(ports[1], "one.example.com")).answer.startswith("HTTP/1.1 200")
        await apply(envoy, plain)
        assert (await get(ports[0])).status == 200
