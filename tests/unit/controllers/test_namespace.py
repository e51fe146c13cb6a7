import pytest
from support.eventually import eventually

from calico_lab.local.controllers.root_certificate import RootCertificatePublisher
from calico_lab.local.resources import CONFIG_MAPS, DEPLOYMENTS, NAMESPACES, PODS, SERVICE_ACCOUNTS


async def has_account(cluster, namespace):
    async def so():
        return "default" in await cluster.names(SERVICE_ACCOUNTS, namespace)

    await eventually(so)


@pytest.mark.parametrize("namespace", ["default", "kube-system"])
async def test_every_namespace_has_a_service_account(cluster, namespace):
    await has_account(cluster, namespace)


async def test_a_new_namespace_gets_one_and_a_deleted_one_comes_back(cluster):
    await cluster.apply(NAMESPACES, "shop")
    await has_account(cluster, "shop")
    await cluster.client.delete(SERVICE_ACCOUNTS, "default", "shop")
    await has_account(cluster, "shop")


async def test_deleting_a_namespace_removes_what_is_in_it(cluster):
    await cluster.apply(NAMESPACES, "shop")
    labels = {"app": "shop"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "one"}]}}
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    await cluster.apply(DEPLOYMENTS, "shop", "shop", spec=spec)
    await cluster.apply(CONFIG_MAPS, "settings", "shop")
    await cluster.ready_in("shop", 2)
    await cluster.client.delete(NAMESPACES, "shop")
    await cluster.gone(NAMESPACES, "shop")
    for resource in (PODS, DEPLOYMENTS, CONFIG_MAPS, SERVICE_ACCOUNTS):
        assert await cluster.names(resource, "shop") == []


async def test_a_namespace_waits_for_what_has_a_finalizer(cluster):
    await cluster.apply(NAMESPACES, "shop")
    await cluster.apply(CONFIG_MAPS, "held", "shop", metadata={"finalizers": ["example.com/hold"]})
    await cluster.client.delete(NAMESPACES, "shop")
    await cluster.gone(SERVICE_ACCOUNTS, "default", "shop")
    assert (await cluster.get(NAMESPACES, "shop"))["status"]["phase"] == "Terminating"
    await cluster.change(CONFIG_MAPS, "held", {"metadata": {"finalizers": None}}, "shop")
    await cluster.gone(NAMESPACES, "shop")


async def test_the_root_certificate_is_published_and_restored(cluster, running):
    await running(RootCertificatePublisher(cluster.client, b"PEM"))

    async def published():
        found = [item for item in await cluster.all(CONFIG_MAPS, "default") if item["data"] == {"ca.crt": "PEM"}]
        return [item["metadata"]["name"] for item in found] == ["kube-root-ca.crt"]

    await eventually(published)
    await cluster.change(CONFIG_MAPS, "kube-root-ca.crt", {"data": {"ca.crt": "forged"}})
    await eventually(published)
