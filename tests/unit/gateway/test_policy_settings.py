"""What a policy's settings come to: what is wrong with them, and that Envoy loads all the others."""

import socket
from contextlib import ExitStack

import pytest
from support.envoys import Backend, Envoy
from support.gateway_api import GATEWAY, POLICY, ROUTE, http_route, item, model, policy, resolved, told


def asking(name=POLICY.name, *, kind="HTTPRoute", target=ROUTE.name, created=0, **spec):
    found = policy(name, kind=kind, target=target, created=created)
    found["spec"] = {"targetRefs": found["spec"]["targetRefs"], **spec}
    return found


def on_gateway(name="wide", **spec):
    return asking(name, kind="Gateway", target=GATEWAY.name, **spec)


def limit(*rules):
    return {"type": "Local", "local": {"rules": list(rules)}}


def counted(*selectors, requests=5, unit="Hour"):
    selecting = {"clientSelectors": list(selectors)} if selectors else {}
    return {**selecting, "limit": {"requests": requests, "unit": unit}}


def by_header(**header):
    return {"headers": [{"type": "Exact", "invert": False, "name": "user"} | header]}


def hashed(kind="SourceIP", **fields):
    return {"type": "ConsistentHash", "consistentHash": {"type": kind, "tableSize": 65537} | fields}


def active(**fields):
    return {"active": {"type": "HTTP", "http": {"path": "/"}} | fields}


def tcp(**fields):
    return {"active": {"type": "TCP", "tcp": fields}}


def back_off(**fields):
    return {"perRetry": {"backOff": fields}}


TWICE = {"sourceCIDR": {"value": "10.0.0.0/8"}}
FAULTS = [
    ({"loadBalancer": hashed(tableSize=4)}, "LoadBalancer: ConsistentHash: invalid TableSize value 4."),
    ({"loadBalancer": hashed("Header", header={"name": ""})}, "LoadBalancer: ConsistentHash: the header has no name."),
    ({"loadBalancer": hashed("Header", header={"name": "a\n"})}, None),
    ({"loadBalancer": hashed("Cookie", cookie={"name": "c", "ttl": "1s", "attributes": {"": "x"}})}, None),
    ({"loadBalancer": hashed("Cookie", cookie={"name": "c", "ttl": "1s", "attributes": {"Path": "/\n"}})}, None),
    ({"retry": back_off(baseInterval="0s")}, "Retry: baseInterval cannot be set to 0s."),
    ({"retry": back_off(baseInterval="1s", maxInterval="0s")}, "Retry: maxInterval cannot be set to 0s."),
    (
        {"retry": back_off(baseInterval="2s", maxInterval="1s")},
        "Retry: maxInterval cannot be less than baseInterval.",
    ),
    ({"retry": back_off(maxInterval="1s")}, "Retry: maxInterval cannot be set without baseInterval."),
    ({"retry": {"numAttemptsPerPriority": -1}}, "Retry: invalid numAttemptsPerPriority -1 with 2 retries."),
    ({"retry": {"numAttemptsPerPriority": 1, "numRetries": 2**31 - 1}}, None),
    ({"timeout": {"tcp": {"connectTimeout": "0s"}}}, "Timeout: invalid ConnectTimeout value 0s."),
    (
        {"healthCheck": active(http={"path": "/", "method": "FETCH"})},
        "HealthCheck: only one of the GET, HEAD, POST, DELETE, OPTIONS, TRACE, PATCH of HTTPHealthChecker.Method "
        "could be set.",
    ),
    ({"healthCheck": active(timeout="0s")}, "HealthCheck: field HealthCheck.Timeout must be specified."),
    ({"healthCheck": active(interval="0s")}, "HealthCheck: field HealthCheck.Interval must be specified."),
    ({"healthCheck": active(http={"path": "/\n"})}, None),
    ({"healthCheck": tcp(send={"type": "Text", "text": ""})}, None),
    ({"healthCheck": tcp(receive={"type": "Binary", "binary": "!"})}, None),
    (
        {"healthCheck": {"passive": {"maxEjectionPercent": 101}}},
        "HealthCheck: MaxEjectionPercent value 101 is outside of 0-100 range.",
    ),
    ({"healthCheck": {"passive": {"consecutive5XxErrors": -1}}}, None),
    ({"healthCheck": {"passive": {"consecutiveGatewayErrors": -1}}}, None),
    ({"healthCheck": {"passive": {"consecutiveLocalOriginFailures": -1}}}, None),
    (
        {"healthCheck": {"passive": {"interval": "0s"}}},
        "HealthCheck: field OutlierDetection.Interval must be specified.",
    ),
    (
        {"healthCheck": {"passive": {"baseEjectionTime": "0s"}}},
        "HealthCheck: field OutlierDetection.BaseEjectionTime must be specified.",
    ),
    ({"rateLimit": {"type": "Local"}}, "RateLimit: local configuration empty for rateLimit."),
    (
        {"rateLimit": limit(counted(), counted())},
        "RateLimit: local rateLimit can not have more than one rule without clientSelectors.",
    ),
    (
        {"rateLimit": limit(counted(unit="Hour"), counted(by_header(value="x"), unit="Minute"))},
        "RateLimit: local rateLimit rule limit unit must be a multiple of the default limit unit.",
    ),
    (
        {"rateLimit": limit(counted({}))},
        "RateLimit: unable to translate rateLimit. At least one of the header or sourceCIDR must be specified.",
    ),
    ({"rateLimit": limit(counted(by_header(type="Distinct", value="x")))}, None),
    ({"rateLimit": limit(counted(by_header()))}, None),
    ({"rateLimit": limit(counted(by_header(type="Distinct", invert=True)))}, None),
    ({"rateLimit": limit(counted(by_header(name="a\n", value="x")))}, None),
    ({"rateLimit": limit(counted(by_header(type="RegularExpression", value="(")))}, None),
    ({"rateLimit": limit(counted(by_header(type="RegularExpression", value="(a{1000}){1000}")))}, None),
    (
        {"rateLimit": limit(counted({"sourceCIDR": {"value": "10.0.0.1"}}))},
        "RateLimit: unable to translate rateLimit: invalid CIDR address: 10.0.0.1.",
    ),
    ({"rateLimit": limit(counted(TWICE), counted(TWICE, requests=6))}, None),
    ({"rateLimit": limit(counted(requests=0))}, "RateLimit: invalid Requests value 0."),
    (
        {"loadBalancer": hashed(tableSize=4), "timeout": {"tcp": {"connectTimeout": "0s"}}},
        "LoadBalancer: ConsistentHash: invalid TableSize value 4\nTimeout: invalid ConnectTimeout value 0s.",
    ),
]


@pytest.mark.parametrize(("spec", "message"), FAULTS)
def test_settings_that_envoy_would_not_load_are_told_and_answered_500(spec, message):
    found = resolved(backend_traffic_policies=[asking(**spec)])
    (ancestor,) = found.backend_traffic_policy_statuses[POLICY]["ancestors"]
    ((kind, status, reason, text),) = told(ancestor["conditions"])
    assert (kind, status, reason) == ("Accepted", "False", "Invalid")
    assert message is None or text == message
    (host,) = found.gateways[GATEWAY].listeners[0].virtual_hosts
    assert [route.destination for route in host.routes] == [None]


EVERY_TRIGGER = [
    "5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "retriable-4xx", "refused-stream",
    "retriable-status-codes", "cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable",
]  # fmt: skip
TOP = 2**32 - 1
LOADED = [
    {"loadBalancer": {"type": "Random"}},
    {"loadBalancer": {"type": "LeastRequest", "slowStart": {"window": "10s"}}},
    {"loadBalancer": {"type": "RoundRobin", "slowStart": {"window": "0s"}}},
    {"loadBalancer": hashed(tableSize=2)},
    {"loadBalancer": hashed("Header", header={"name": ":path"})},
    {"loadBalancer": hashed("Cookie", cookie={"name": "c", "ttl": "0s", "attributes": {"SameSite": "Strict"}})},
    {"loadBalancer": hashed("Cookie", cookie={"name": "c"})},
    {
        "circuitBreaker": {
            "maxConnections": TOP,
            "maxPendingRequests": TOP,
            "maxParallelRequests": TOP,
            "maxParallelRetries": TOP,
            "maxRequestsPerConnection": TOP,
            "perEndpoint": {"maxConnections": TOP},
        }
    },
    {"circuitBreaker": {"maxRequestsPerConnection": 0, "maxParallelRetries": 0}},
    {"retry": {}},
    {"retry": {"numRetries": 2**31 - 1, "perRetry": {"timeout": "0s"}}},
    {"retry": {"numAttemptsPerPriority": 1, "numRetries": 0}},
    {"retry": {"retryOn": {"triggers": EVERY_TRIGGER, "httpStatusCodes": [100, 599]}}},
    {"retry": {"retryOn": {"httpStatusCodes": []}} | back_off(baseInterval="1ms", maxInterval="2ms")},
    {
        "healthCheck": active(
            interval="1ms",
            timeout="1ms",
            initialJitter="0s",
            http={
                "path": "/x",
                "method": "get",
                "hostname": "a.b",
                "expectedStatuses": [100, 200, 201, 599],
                "expectedResponse": {"type": "Text", "text": "ok"},
            },
        )
    },
    {"healthCheck": tcp(send={"type": "Text", "text": "hi"}, receive={"type": "Binary", "binary": "aGk="})},
    {"healthCheck": tcp()},
    {"healthCheck": {"passive": {}, "panicThreshold": 0}},
    {"healthCheck": {"passive": {"maxEjectionPercent": -4, "baseEjectionTime": "9000s", "interval": "1ms"}}},
    {"healthCheck": {"passive": {"maxEjectionPercent": 0, "splitExternalLocalOriginErrors": True}}},
    {"healthCheck": {"panicThreshold": 100}},
    {
        "timeout": {
            "http": {"requestTimeout": "0s", "connectionIdleTimeout": "0s", "maxConnectionDuration": "0s"},
            "tcp": {"connectTimeout": "1ms"},
        }
    },
    {
        "timeout": {
            "http": {"requestTimeout": "99999h", "connectionIdleTimeout": "99999h", "maxConnectionDuration": "99999h"},
            "tcp": {"connectTimeout": "99999h"},
        }
    },
    {"rateLimit": limit()},
    {"rateLimit": limit(counted(requests=TOP, unit="Year"))},
    {
        "rateLimit": limit(
            counted(unit="Second"),
            counted({"sourceCIDR": {"value": "127.0.0.0/8", "type": "Distinct"}}, unit="Month"),
            counted({"sourceCIDR": {"value": "127.0.0.0/8"}}, unit="Month"),
            counted({"sourceCIDR": {"value": "::/0"}}, unit="Year"),
            counted(by_header(type="Distinct"), by_header(value="", invert=True), by_header(value="a\n")),
            counted(by_header(type="RegularExpression", value="[[:alpha:]]{1,1000}")),
        )
    },
]
USERS = item("Secret", "users", data={".htpasswd": "YW5uOntTSEF9NWVuNkc2TWV6UnJvVDNYS3FrZFBPbVkvQmZRPQ=="})
GUARD = item(
    "SecurityPolicy",
    "guard",
    spec={
        "targetRefs": policy()["spec"]["targetRefs"],
        "basicAuth": {"users": {"name": "users"}, "forwardUsernameHeader": "who"},
    },
)


@pytest.fixture
async def envoy(tmp_path):
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(4)]
        ports = [each.getsockname()[1] for each in sockets]
    backends = [Backend() for _ in range(2)]
    for each in backends:
        await each.start()
    (tmp_path / "xds").mkdir()
    yield Envoy(tmp_path / "xds", ports, backends)
    for each in backends:
        each.stop()


async def test_envoy_loads_all_settings_that_are_accepted(envoy):
    """One Envoy after the other would take a minute: this one gets them in turn, and none may be refused."""
    envoy.apply()
    async with envoy.running():
        for spec in LOADED:
            world = {"backend_traffic_policies": [asking(**spec)], "security_policies": [GUARD], "secrets": [USERS]}
            (ancestor,) = resolved(**world).backend_traffic_policy_statuses[POLICY]["ancestors"]
            assert told(ancestor["conditions"])[0][1] == "True", spec
            envoy.apply(**world)
            await envoy.takes_up()
            assert (await envoy.get()).status == 401, spec
            assert "rejected" not in envoy.log(), (spec, envoy.log())


def statuses(*policies, **changes):
    found = resolved(backend_traffic_policies=policies, **changes).backend_traffic_policy_statuses
    return {
        name.name: [condition for each in status["ancestors"] for condition in told(each["conditions"])]
        for name, status in found.items()
    }


def traffic(*policies):
    (destination,) = model(backend_traffic_policies=policies).destinations()
    return destination.traffic


ACCEPTED = ("Accepted", "True", "Accepted", "Policy has been accepted.")


def test_a_merged_policy_and_the_gateway_s_name_each_other():
    found = statuses(on_gateway(retry={}), asking("narrow", mergeType="StrategicMerge"))
    text = f"This policy is being merged by other backendTrafficPolicies for these routes: [{ROUTE}]"
    assert found["narrow"] == [("Merged", "True", "Merged", "Merged with policy default/wide"), ACCEPTED]
    assert found["wide"] == [ACCEPTED, ("Merged", "True", "Merged", text)]


@pytest.mark.parametrize("kind", ["StrategicMerge", "JSONMerge"])
def test_a_merge_keeps_what_the_route_s_policy_leaves_out(kind):
    wide = on_gateway(
        retry={"numRetries": 7}, timeout={"http": {"requestTimeout": "1s"}, "tcp": {"connectTimeout": "2s"}}
    )
    found = traffic(wide, asking(mergeType=kind, timeout={"http": {"requestTimeout": "3s"}}))
    assert (found.retry.number, found.request_timeout, found.connect_timeout) == (7, 3.0, 2.0)


@pytest.mark.parametrize(("kind", "values"), [("StrategicMerge", ["own", "wide"]), ("JSONMerge", ["own"])])
def test_only_a_strategic_merge_keeps_both_lists_of_limits(kind, values):
    wide = on_gateway(rateLimit=limit(counted(by_header(value="wide"))))
    found = traffic(wide, asking(mergeType=kind, rateLimit=limit(counted(by_header(value="own")))))
    assert [rule.headers[0].value for rule in found.rate_limit.rules] == values


def test_limits_that_do_not_go_together_are_told_after_a_merge():
    wide = on_gateway(rateLimit=limit(counted(by_header(value="x"), unit="Second")))
    own = asking("own", mergeType="StrategicMerge", rateLimit=limit(counted(unit="Hour")))
    text = "RateLimit: local rateLimit rule limit unit must be a multiple of the default limit unit."
    assert ("Accepted", "False", "Invalid", text) in statuses(wide, own)["own"]
    assert traffic_fault(wide, own) == text


def traffic_fault(*policies):
    found = resolved(backend_traffic_policies=policies).gateways[GATEWAY]
    (route,) = found.listeners[0].virtual_hosts[0].routes
    assert route.destination is None
    ((_, _, _, text),) = [each for each in statuses(*policies)["own"] if each[1] == "False"]
    return text


def test_without_a_gateway_s_policy_there_is_nothing_to_merge_with():
    assert statuses(asking(mergeType="JSONMerge", retry={})) == {POLICY.name: [ACCEPTED]}


def test_more_than_16_ancestors_are_cut_short():
    gateways = [item("Gateway", f"g{number:02}", spec=model_spec()) for number in range(18)]
    parents = [{"name": gateway["metadata"]["name"]} for gateway in gateways]
    found = resolved(gateways=gateways, http_routes=[http_route(parentRefs=parents)])
    ancestors = found.backend_traffic_policy_statuses[POLICY]["ancestors"]
    text = "Ancestors have been truncated because the number of policy ancestors exceeds 16."
    assert len(ancestors) == 16
    assert told(ancestors[-1]["conditions"])[-1] == ("Aggregated", "True", "Aggregated", text)


def model_spec():
    return {
        "gatewayClassName": "tigera-gateway-class",
        "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}],
    }


def test_a_gateway_s_users_are_asked_of_routes_without_a_policy():
    wide = {**GUARD, "spec": {**GUARD["spec"], "targetRefs": on_gateway()["spec"]["targetRefs"]}}
    found = resolved(security_policies=[wide], secrets=[USERS])
    (route,) = found.gateways[GATEWAY].listeners[0].virtual_hosts[0].routes
    assert route.authentication.name == "securitypolicy/default/guard"


async def test_an_endpoint_that_is_not_well_stays_out_when_another_comes(envoy):
    """Endpoints come apart from the cluster (EDS), so that Envoy does not forget how they have answered."""
    passive = {"consecutive5XxErrors": 1, "interval": "10ms", "baseEjectionTime": "60s", "maxEjectionPercent": 100}
    checked = [asking(healthCheck={"passive": passive, "panicThreshold": 0})]
    bad, good = envoy.backends
    bad.status = "503 Service Unavailable"
    envoy.apply(backend_traffic_policies=checked)
    async with envoy.running():
        while bad.requests == 0:
            await envoy.get()
        third = Backend()
        await third.start()
        envoy.apply([*envoy.backends, third], backend_traffic_policies=checked)
        await envoy.takes_up()
        before = bad.requests
        assert await envoy.statuses(30) == {200: 30}
        assert bad.requests == before
        assert good.requests
        assert third.requests
        third.stop()
