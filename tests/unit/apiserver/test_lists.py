"""Lists: order, selectors, portions, forms."""

import pytest

from calico_lab.local.resources import CONFIG_MAPS, PODS

MAPS = "/api/v1/configmaps"


@pytest.fixture
async def colors(client, make):
    for name, namespace, labels in (
        ("b", "default", {"color": "red", "size": "s"}),
        ("a", "kube-system", {"color": "blue"}),
        ("a", "default", {"color": "red"}),
        ("c", "default", {}),
    ):
        item = make.config_map(name, namespace)
        item["metadata"]["labels"] = labels
        await client.create(CONFIG_MAPS, item)


def names(answer):
    return [f"{item['metadata']['namespace']}/{item['metadata']['name']}" for item in answer.body["items"]]


async def test_objects_come_in_the_order_of_their_names(ask, colors):
    assert names(await ask("GET", MAPS)) == ["default/a", "default/b", "default/c", "kube-system/a"]


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("color=red", "ab"),
        ("color==red,size=s", "b"),
        ("color!=red", "c"),
        ("color in (red, green)", "ab"),
        ("color notin (red)", "c"),
        ("size", "b"),
        ("!size", "ac"),
        ("", "abc"),
    ],
)
async def test_label_selectors(ask, colors, selector, found):
    answer = await ask("GET", "/api/v1/namespaces/default/configmaps", labelSelector=selector)
    assert "".join(item["metadata"]["name"] for item in answer.body["items"]) == found


@pytest.mark.parametrize("selector", ["a in (b", "=", "a b", "a=b c", ",,"])
async def test_label_selectors_that_cannot_be_read(ask, selector):
    answer = await ask("GET", MAPS, labelSelector=selector)
    assert answer.status == 400
    assert answer.body["message"].startswith("unable to parse requirement: ")


async def test_field_selectors(client, ask, make):
    for name in ("a", "b"):
        await client.create(PODS, make.pod(name))
    await client.create_subresource(PODS, "b", "default", "binding", {"target": {"kind": "Node", "name": "worker1"}})
    for selector, found in (("spec.nodeName=worker1", "b"), ("spec.nodeName!=worker1", "a"), ("metadata.name=a", "a")):
        answer = await ask("GET", "/api/v1/pods", fieldSelector=f"{selector},status.phase=Pending")
        assert names(answer) == [f"default/{found}"]


async def test_a_field_that_cannot_be_selected_by(ask):
    answer = await ask("GET", "/api/v1/pods", fieldSelector="spec.colour=red")
    assert (answer.status, answer.body["message"]) == (400, "field label not supported: spec.colour")


async def test_portions_show_the_list_as_it_was(client, ask, colors):
    first = await ask("GET", MAPS, limit="3")
    assert first.body["metadata"]["remainingItemCount"] == 1
    await client.delete(CONFIG_MAPS, "a", "kube-system")
    second = await ask("GET", MAPS, limit="3", **{"continue": first.body["metadata"]["continue"]})
    assert names(first) + names(second) == ["default/a", "default/b", "default/c", "kube-system/a"]
    assert second.body["metadata"] == {"resourceVersion": first.body["metadata"]["resourceVersion"]}


async def test_a_portion_that_is_forgotten(ask):
    answer = await ask("GET", MAPS, **{"continue": "long ago"})
    assert (answer.status, answer.body["reason"]) == (410, "Expired")


async def test_metadata_alone(ask, colors):
    accept = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"
    answer = await ask("GET", MAPS, accept=accept)
    assert answer.body["kind"] == "PartialObjectMetadataList"
    assert {"apiVersion", "kind", "metadata"} == set(answer.body["items"][0])


async def test_a_form_that_is_not_spoken(ask):
    assert (await ask("GET", MAPS, accept="application/vnd.kubernetes.protobuf")).status == 406
