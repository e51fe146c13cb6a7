import pytest
from support.eventually import eventually

from calico_lab import errors
from calico_lab.local import custom_resources
from calico_lab.local.objects import contains
from calico_lab.local.resources import (
    CUSTOM_RESOURCE_DEFINITIONS,
    DEPLOYMENTS,
    ENVOY_PROXIES,
    GATEWAY_APIS,
    GATEWAY_CLASSES,
    GATEWAYS,
    NAMESPACES,
)

NAMESPACE = "tigera-gateway"


async def enable(cluster, name="tigera-secure"):
    await cluster.apply(GATEWAY_APIS, name)


async def has_class(cluster):
    async def so():
        try:
            return await cluster.names(GATEWAY_CLASSES, "") == ["tigera-gateway-class"]
        except errors.NotFound:
            return False

    await eventually(so)


async def test_before_it_gateways_are_an_unknown_resource(cluster):
    with pytest.raises(errors.NotFound):
        await cluster.all(GATEWAYS)


@pytest.mark.parametrize("name", ["default", "tigera-secure"])
async def test_it_makes_definitions_and_class_appear(cluster, name):
    await enable(cluster, name)
    await has_class(cluster)
    wanted = {definition["metadata"]["name"] for definition in custom_resources.definitions()}
    assert wanted == set(await cluster.names(CUSTOM_RESOURCE_DEFINITIONS, ""))
    assert await cluster.all(GATEWAYS) == []
    assert (await cluster.get(GATEWAY_CLASSES, "tigera-gateway-class"))["spec"] == {
        "controllerName": "gateway.envoyproxy.io/gatewayclass-controller",
        "parametersRef": {
            "group": "gateway.envoyproxy.io",
            "kind": "EnvoyProxy",
            "name": "envoy-proxy-config",
            "namespace": NAMESPACE,
        },
    }


async def test_it_runs_envoy_gateway(cluster):
    await enable(cluster)
    await cluster.ready_in(NAMESPACE, 1)
    (pod,) = await cluster.all_pods(NAMESPACE)
    assert pod["metadata"]["labels"]["k8s-app"] == "gateway-api-controller"
    assert pod["spec"]["serviceAccountName"] == "envoy-gateway"
    assert pod["spec"]["containers"][0]["args"] == ["server", "--config-path=/config/envoy-gateway.yaml"]


async def test_it_writes_back_who_manages_the_definitions(cluster):
    await enable(cluster)
    await has_class(cluster)
    assert (await cluster.get(GATEWAY_APIS, "tigera-secure"))["spec"] == {"crdManagement": "Reconcile"}


async def test_the_definitions_are_stored_as_it_wants_them_and_so_not_written_again(cluster):
    await enable(cluster)
    await has_class(cluster)
    for wanted in custom_resources.definitions():
        stored = await cluster.get(CUSTOM_RESOURCE_DEFINITIONS, wanted["metadata"]["name"])
        assert contains(stored, wanted), wanted["metadata"]["name"]


async def test_deleting_it_keeps_the_definitions_and_nothing_else(cluster):
    await enable(cluster)
    await cluster.ready_in(NAMESPACE, 1)
    await cluster.client.delete(GATEWAY_APIS, "tigera-secure")
    await cluster.gone(GATEWAY_CLASSES, "tigera-gateway-class", "")
    await cluster.gone(NAMESPACES, NAMESPACE, "")
    assert len(await cluster.names(CUSTOM_RESOURCE_DEFINITIONS, "")) == len(custom_resources.definitions())


async def test_enabled_again_it_prefers_the_existing_definitions(cluster):
    await enable(cluster)
    await cluster.ready_in(NAMESPACE, 1)
    await cluster.client.delete(GATEWAY_APIS, "tigera-secure")
    await cluster.gone(NAMESPACES, NAMESPACE, "")
    await cluster.gone(GATEWAY_CLASSES, "tigera-gateway-class", "")
    await enable(cluster, "default")
    await has_class(cluster)
    assert (await cluster.get(GATEWAY_APIS, "default"))["spec"] == {"crdManagement": "PreferExisting"}


async def test_what_somebody_deletes_comes_back(cluster):
    await enable(cluster)
    await cluster.ready_in(NAMESPACE, 1)
    await cluster.client.delete(GATEWAY_CLASSES, "tigera-gateway-class")
    await cluster.client.delete(ENVOY_PROXIES, "envoy-proxy-config", NAMESPACE)
    await cluster.client.delete(DEPLOYMENTS, "envoy-gateway", NAMESPACE)
    await has_class(cluster)

    async def all_back():
        return await cluster.names(ENVOY_PROXIES, NAMESPACE) and await cluster.names(DEPLOYMENTS, NAMESPACE)

    await eventually(all_back)


async def test_two_of_them_are_one_too_many(cluster):
    await enable(cluster)
    await has_class(cluster)
    await enable(cluster, "default")

    async def told():
        return any("multiple GatewayAPI CRs provided" in message for message in await cluster.events("Degraded"))

    await eventually(told)
