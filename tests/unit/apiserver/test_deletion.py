"""Deletion: at once, with grace, held up by finalizers, on conditions."""

import pytest

from calico_lab import errors
from calico_lab.local.resources import CONFIG_MAPS, NAMESPACES, PODS


async def bind(client, name="web", node="worker1"):
    binding = {"metadata": {"name": name}, "target": {"kind": "Node", "name": node}}
    await client.create_subresource(PODS, name, "default", "binding", binding)


async def test_a_deletion_says_what_it_deleted(client, ask, make):
    made = await client.create(CONFIG_MAPS, make.config_map())
    answer = await ask("DELETE", "/api/v1/namespaces/default/configmaps/settings")
    details = {"name": "settings", "kind": "configmaps", "uid": made["metadata"]["uid"]}
    assert (answer.body["status"], answer.body["details"]) == ("Success", details)
    with pytest.raises(errors.NotFound):
        await client.delete(CONFIG_MAPS, "settings", "default")


async def test_a_pod_on_a_node_goes_when_its_kubelet_says_so(client, make):
    await client.create(PODS, make.pod(terminationGracePeriodSeconds=5))
    await bind(client)
    await client.delete(PODS, "web", "default")
    metadata = (await client.get(PODS, "web", "default"))["metadata"]
    assert metadata["deletionGracePeriodSeconds"] == 5
    assert metadata["deletionTimestamp"] > metadata["creationTimestamp"]
    await client.delete(PODS, "web", "default", grace_seconds=0)
    assert (await client.list(PODS))[0] == []


async def test_grace_can_be_shortened_and_not_lengthened(client, make):
    await client.create(PODS, make.pod())
    await bind(client)
    for seconds in (20, 10, 30):
        await client.delete(PODS, "web", "default", grace_seconds=seconds)
    assert (await client.get(PODS, "web", "default"))["metadata"]["deletionGracePeriodSeconds"] == 10


async def test_a_pod_without_a_node_goes_at_once(client, make):
    await client.create(PODS, make.pod())
    await client.delete(PODS, "web", "default")
    assert (await client.list(PODS))[0] == []


async def test_a_finalizer_holds_an_object_until_it_is_removed(client, make):
    item = make.config_map()
    item["metadata"]["finalizers"] = ["example.com/hold"]
    await client.create(CONFIG_MAPS, item)
    await client.delete(CONFIG_MAPS, "settings", "default")
    assert "deletionTimestamp" in (await client.get(CONFIG_MAPS, "settings", "default"))["metadata"]
    await client.patch(CONFIG_MAPS, "settings", "default", {"metadata": {"finalizers": None}})
    assert (await client.list(CONFIG_MAPS))[0] == []


@pytest.mark.parametrize(("propagation", "finalizer"), [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")])
async def test_propagation_is_left_to_the_garbage_collector(client, propagation, finalizer, make):
    await client.create(CONFIG_MAPS, make.config_map())
    await client.delete(CONFIG_MAPS, "settings", "default", propagation=propagation)
    assert (await client.get(CONFIG_MAPS, "settings", "default"))["metadata"]["finalizers"] == [finalizer]


async def test_only_the_object_that_was_meant_is_deleted(client, make):
    await client.create(CONFIG_MAPS, make.config_map())
    with pytest.raises(errors.Conflict, match="Precondition failed: UID in precondition: another, UID in object meta"):
        await client.delete(CONFIG_MAPS, "settings", "default", uid="another")


async def test_a_namespace_goes_when_its_finalizer_is_gone(client):
    await client.create(NAMESPACES, {"metadata": {"name": "shop"}})
    await client.delete(NAMESPACES, "shop")
    namespace = await client.get(NAMESPACES, "shop")
    assert (namespace["status"]["phase"], namespace["spec"]["finalizers"]) == ("Terminating", ["kubernetes"])
    await client.replace(NAMESPACES, namespace | {"spec": {}}, subresource="finalize")
    with pytest.raises(errors.NotFound):
        await client.get(NAMESPACES, "shop")


async def test_a_namespace_keeps_its_finalizer_otherwise(client):
    await client.create(NAMESPACES, {"metadata": {"name": "shop"}, "spec": {"finalizers": []}})
    changed = await client.patch(NAMESPACES, "shop", "", {"spec": {"finalizers": []}})
    assert changed["spec"] == {"finalizers": ["kubernetes"]}


async def test_the_default_namespace_stays(client):
    with pytest.raises(
        errors.Forbidden, match=r'^namespaces "default" is forbidden: this namespace may not be deleted$'
    ):
        await client.delete(NAMESPACES, "default")


async def test_a_collection_is_deleted_by_selector(client, ask, make):
    for name, color in (("a", "red"), ("b", "blue"), ("c", "red")):
        item = make.config_map(name)
        item["metadata"]["labels"] = {"color": color}
        await client.create(CONFIG_MAPS, item)
    await ask("DELETE", "/api/v1/namespaces/default/configmaps", labelSelector="color=red")
    assert [item["metadata"]["name"] for item in (await client.list(CONFIG_MAPS))[0]] == ["b"]
