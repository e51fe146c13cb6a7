import json

import pytest
from support.certificates import pair, tls_secret
from support.eventually import eventually
from support.gateway_api import (
    GATEWAY,
    POLICY,
    ROUTE,
    connection_route,
    endpoints,
    gateway,
    http_route,
    listener,
    passthrough,
    policy,
    secure,
)

from calico_lab.local import resources
from calico_lab.local.controllers import envoy_gateway_infrastructure as infrastructure
from calico_lab.local.controllers.envoy_gateway import FINALIZER, NAMESPACE
from calico_lab.local.envoy.snapshot import Kind
from calico_lab.local.gateway_api.world import ObjectName

PROXY = "envoy-default-load-balancing-gateway-4d05d5b6"
CLUSTER = "httproute/default/round-robin-route/rule/0"


async def proxy(cluster, resource):
    return await eventually(lambda: cluster.find(resource, PROXY, NAMESPACE))


def told(cluster, name=GATEWAY):
    """What the Envoys of a Gateway are told, by kind and name."""
    return cluster.discovery.published.get(str(name), {kind: {} for kind in Kind})


async def clusters(cluster):
    return told(cluster)[Kind.CLUSTER].keys()


async def programmed(cluster, reason):
    async def so():
        found = await cluster.conditions(resources.GATEWAYS, GATEWAY.name)
        return found["Programmed"][1] == reason

    await eventually(so)


async def say(cluster, resource, status):
    await proxy(cluster, resource)
    await cluster.client.patch(resource, PROXY, NAMESPACE, {"status": status}, subresource="status")


async def test_a_gateway_gets_its_proxy(cluster):
    await cluster.guide()
    deployment = await proxy(cluster, resources.DEPLOYMENTS)
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert deployment["spec"]["replicas"] == 1
    assert container["name"] == "envoy"
    assert container["args"][container["args"].index("--concurrency") + 1] == "1"
    service = await proxy(cluster, resources.SERVICES)
    assert service["spec"]["externalTrafficPolicy"] == "Local"
    (port,) = service["spec"]["ports"]
    assert (port["name"], port["port"], port["targetPort"]) == ("http-80", 80, 10080)
    assert deployment["metadata"]["ownerReferences"][0]["kind"] == "GatewayClass"
    assert await proxy(cluster, resources.SERVICE_ACCOUNTS)
    assert (await proxy(cluster, resources.CONFIG_MAPS))["data"].keys() == {
        "xds-certificate.json",
        "xds-trusted-ca.json",
    }


async def test_a_gateway_is_programmed_once_it_has_an_address_and_a_replica(cluster):
    await cluster.guide()
    await programmed(cluster, "AddressNotAssigned")
    await say(cluster, resources.SERVICES, {"loadBalancer": {"ingress": [{"ip": "10.10.10.0"}]}})
    await programmed(cluster, "NoResources")
    await say(cluster, resources.DEPLOYMENTS, {"replicas": 1, "availableReplicas": 1})
    await programmed(cluster, "Programmed")
    status = (await cluster.find(resources.GATEWAYS, GATEWAY.name))["status"]
    assert status["addresses"] == [{"type": "IPAddress", "value": "10.10.10.0"}]


async def test_class_route_and_policy_are_accepted(cluster):
    await cluster.guide()

    async def accepted():
        statuses = [
            (await cluster.find(resource, name)).get("status", {})
            for resource, name in (
                (resources.HTTP_ROUTES, ROUTE.name),
                (resources.BACKEND_TRAFFIC_POLICIES, POLICY.name),
            )
        ]
        entries = [entry for status in statuses for entry in status.get("parents", status.get("ancestors", []))]
        return len(entries) == 2 and all(entry["conditions"][0]["status"] == "True" for entry in entries)

    await eventually(accepted)
    found = await cluster.conditions(resources.GATEWAY_CLASSES, "tigera-gateway-class")
    assert found["Accepted"] == ("True", "Accepted")


async def test_statuses_come_to_rest(cluster):
    await cluster.guide()
    await programmed(cluster, "AddressNotAssigned")
    await eventually(lambda: clusters(cluster))
    (_, before) = await cluster.client.list(resources.GATEWAYS)
    await cluster.create(
        resources.SERVICES, {"metadata": {"name": "x", "namespace": "default"}, "spec": {"ports": [{"port": 1}]}}
    )
    (_, after) = await cluster.client.list(resources.GATEWAYS)
    assert int(after) - int(before) <= 1


async def test_a_gateway_of_another_class_stays_pending(cluster):
    await cluster.guide()
    await cluster.create(resources.GATEWAYS, gateway(name="theirs", gatewayClassName="misspelt"))
    await programmed(cluster, "AddressNotAssigned")
    found = await cluster.conditions(resources.GATEWAYS, "theirs")
    assert found == {"Accepted": ("Unknown", "Pending"), "Programmed": ("Unknown", "Pending")}


async def test_a_change_of_a_route_reaches_envoy(cluster):
    await cluster.guide()
    await eventually(lambda: clusters(cluster))
    await cluster.create(resources.HTTP_ROUTES, http_route(name="second"))

    async def there():
        return "httproute/default/second/rule/0" in await clusters(cluster)

    await eventually(there)


async def test_new_endpoints_reach_envoy(cluster):
    await cluster.guide()
    await eventually(lambda: clusters(cluster))
    await cluster.create(
        resources.ENDPOINT_SLICES, endpoints("10.48.1.3", port=3001) | {"ports": [{"name": "http", "port": 3000}]}
    )

    async def three():
        return len(told(cluster)[Kind.ENDPOINTS][CLUSTER]["endpoints"][0]["lb_endpoints"]) == 3

    await eventually(three)


async def test_when_the_gateway_goes_its_proxy_goes(cluster):
    await cluster.guide()
    await proxy(cluster, resources.SERVICES)
    await cluster.client.delete(resources.GATEWAYS, GATEWAY.name, GATEWAY.namespace)

    async def gone():
        kinds = (resources.CONFIG_MAPS, resources.DEPLOYMENTS, resources.SERVICES, resources.SERVICE_ACCOUNTS)
        return not [kind for kind in kinds if await cluster.find(kind, PROXY, NAMESPACE)]

    async def forgotten():
        route = await cluster.find(resources.HTTP_ROUTES, ROUTE.name)
        return not route["status"]["parents"]

    await eventually(gone)
    await eventually(forgotten)


async def test_a_class_stays_as_long_as_gateways_use_it(cluster):
    await cluster.guide()

    async def held():
        item = await cluster.find(resources.GATEWAY_CLASSES, "tigera-gateway-class")
        return FINALIZER in item["metadata"].get("finalizers", [])

    await eventually(held)
    await cluster.client.delete(resources.GATEWAY_CLASSES, "tigera-gateway-class")
    assert await held()
    await cluster.client.delete(resources.GATEWAYS, GATEWAY.name, GATEWAY.namespace)

    async def gone():
        return not await cluster.find(resources.GATEWAY_CLASSES, "tigera-gateway-class")

    await eventually(gone)


async def test_the_number_of_replicas_is_the_learners(cluster):
    await cluster.guide()
    await proxy(cluster, resources.DEPLOYMENTS)
    await cluster.client.patch(resources.DEPLOYMENTS, PROXY, NAMESPACE, {"spec": {"replicas": 2}})
    await cluster.create(resources.BACKEND_TRAFFIC_POLICIES, policy("another"))
    await programmed(cluster, "AddressNotAssigned")
    assert (await proxy(cluster, resources.DEPLOYMENTS))["spec"]["replicas"] == 2


async def test_private_keys_are_told_to_envoy_and_written_nowhere(cluster):
    content = pair("www.example.com")
    await cluster.guide()
    await cluster.create(resources.SECRETS, tls_secret("example-cert", content))
    await cluster.create(resources.GATEWAYS, gateway(secure(), name="secure"))
    name = ObjectName("default", "secure")

    async def certificates():
        return told(cluster, name)[Kind.CERTIFICATE]

    (secret,) = (await eventually(certificates)).values()
    assert secret["tls_certificate"]["private_key"]["inline_string"] == content.key
    proxy_name = infrastructure.name(name)
    service = await eventually(lambda: cluster.find(resources.SERVICES, proxy_name, NAMESPACE))
    (port,) = service["spec"]["ports"]
    assert (port["name"], port["port"], port["targetPort"]) == ("https-443", 443, 10443)
    config_maps, _ = await cluster.client.list(resources.CONFIG_MAPS)
    assert content.key.splitlines()[1] not in json.dumps(config_maps)


async def test_a_certificate_goes_once_no_listener_has_it(cluster):
    await cluster.guide()
    await cluster.create(resources.SECRETS, tls_secret("example-cert", pair("www.example.com")))
    await cluster.create(resources.GATEWAYS, gateway(listener(), secure(), name="secure"))

    async def certificates(number):
        return len(told(cluster, ObjectName("default", "secure"))[Kind.CERTIFICATE]) == number

    await eventually(lambda: certificates(1))
    await cluster.client.delete(resources.SECRETS, "example-cert", "default")
    await eventually(lambda: certificates(0))

    async def told_why():
        found = await cluster.find(resources.GATEWAYS, "secure")
        return found["status"]["listeners"][1]["conditions"][0]["reason"] == "InvalidCertificateRef"

    await eventually(told_why)


@pytest.mark.parametrize(("resource", "kind"), [(resources.TCP_ROUTES, "TCPRoute"), (resources.TLS_ROUTES, "TLSRoute")])
async def test_routes_of_connections_get_their_statuses(cluster, resource, kind):
    await cluster.guide()
    await cluster.create(resources.GATEWAYS, gateway(passthrough(), listener("tcp", 90, "TCP"), name="connections"))
    await cluster.create(resource, connection_route(kind, parentRefs=[{"name": "connections"}]))

    async def accepted():
        status = (await cluster.find(resource, "connections")).get("status") or {}
        return [entry["conditions"][0]["reason"] for entry in status.get("parents", [])] == ["Accepted"]

    await eventually(accepted)
