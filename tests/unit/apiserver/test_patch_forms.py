"""The three forms of patch, and what is refused."""

import pytest

from calico_lab import errors
from calico_lab.local.apiserver import schema
from calico_lab.local.apiserver.patch import json_merge
from calico_lab.local.apiserver.strategic_merge import strategic_merge
from calico_lab.local.resources import CONFIG_MAPS, DEPLOYMENTS

POD = schema.load().structural("", "v1", "Pod")
MAP = "/api/v1/namespaces/default/configmaps/settings"
JSON_PATCH = "application/json-patch+json"


# The examples of RFC 7396, appendix A, as far as they concern objects.
@pytest.mark.parametrize(
    ("old", "change", "new"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_json_merge_patch(old, change, new):
    assert json_merge(old, change) == new


def containers(*names, **more):
    return {"spec": {"containers": [{"name": name, "image": "old"} for name in names]} | more}


def merged(old, change):
    return strategic_merge(old, {"spec": change}, POD)["spec"]


def container_names(spec):
    return [container["name"] for container in spec["containers"]]


def test_elements_are_merged_by_their_key():
    spec = merged(containers("a", "b"), {"containers": [{"name": "b", "image": "new"}, {"name": "c", "image": "new"}]})
    assert [(each["name"], each["image"]) for each in spec["containers"]] == [("a", "old"), ("b", "new"), ("c", "new")]


def test_an_element_is_deleted_by_its_key():
    assert container_names(merged(containers("a", "b"), {"containers": [{"name": "a", "$patch": "delete"}]})) == ["b"]


def test_a_list_is_replaced_where_the_patch_says_so():
    change = {"containers": [{"$patch": "replace"}, {"name": "c"}]}
    assert merged(containers("a", "b"), change)["containers"] == [{"name": "c"}]


@pytest.mark.parametrize(
    ("order", "result"),
    [
        ("ba", ["b", "a"]),
        ("ca", ["c", "a", "b"]),
        ("bc", ["a", "b", "c"]),
        ("ab", ["a", "b"]),
        ("cab", ["c", "a", "b"]),
    ],
)
def test_the_order_of_elements(order, result):
    new = [{"name": "c"}] if "c" in order else []
    change = {"$setElementOrder/containers": [{"name": name} for name in order]} | ({"containers": new} if new else {})
    assert container_names(merged(containers("a", "b"), change)) == result


def test_an_object_is_replaced_where_the_patch_says_so():
    spec = merged(containers("a", nodeSelector={"x": "1"}), {"nodeSelector": {"$patch": "replace", "y": "2"}})
    assert spec["nodeSelector"] == {"y": "2"}


def test_keys_are_retained_where_the_patch_says_so():
    old = containers("a", volumes=[{"name": "v", "emptyDir": {}}])
    change = {"volumes": [{"name": "v", "$retainKeys": ["name", "configMap"], "configMap": {"name": "m"}}]}
    assert merged(old, change)["volumes"] == [{"name": "v", "configMap": {"name": "m"}}]


def test_values_leave_a_list_of_plain_values():
    old = {"metadata": {"finalizers": ["a", "b"]}}
    change = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"], "finalizers": ["c"]}}
    assert strategic_merge(old, change, POD)["metadata"]["finalizers"] == ["b", "c"]


def test_lists_without_a_strategy_are_replaced():
    old = {"spec": {"containers": [{"name": "a", "args": ["x", "y"]}]}}
    assert merged(old, {"containers": [{"name": "a", "args": ["z"]}]})["containers"][0]["args"] == ["z"]


def test_an_element_without_its_key_is_refused():
    with pytest.raises(errors.BadRequest, match="does not contain declared merge key: name"):
        merged(containers("a"), {"containers": [{"image": "x"}]})


async def test_a_json_patch(client, ask, make):
    await client.create(CONFIG_MAPS, make.config_map(a="1"))
    change = [{"op": "test", "path": "/data/a", "value": "1"}, {"op": "add", "path": "/data/b", "value": "2"}]
    answer = await ask("PATCH", MAP, change, content_type=JSON_PATCH)
    assert answer.body["data"] == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ([{"op": "test", "path": "/data/a", "value": "2"}], 422),
        ([{"op": "remove", "path": "/data/none"}], 422),
        ([{"op": "fly", "path": "/data"}], 400),
        ([{"op": "replace", "path": "", "value": 1}], 400),
        ({}, 400),
    ],
)
async def test_json_patches_that_cannot_be_applied(client, ask, make, change, status):
    await client.create(CONFIG_MAPS, make.config_map(a="1"))
    assert (await ask("PATCH", MAP, change, content_type=JSON_PATCH)).status == status
    assert (await client.get(CONFIG_MAPS, "settings", "default"))["data"] == {"a": "1"}


async def test_a_patch_may_insist_on_a_version(client, make):
    await client.create(DEPLOYMENTS, make.deployment())
    with pytest.raises(errors.Conflict, match="the object has been modified"):
        await client.patch(DEPLOYMENTS, "web", "default", {"metadata": {"resourceVersion": "1"}})


async def test_custom_resources_have_no_strategic_merge(client, ask, gateway_api):
    spec = {"gatewayClassName": "x", "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}]}
    path = "/apis/gateway.networking.k8s.io/v1/namespaces/default/gateways"
    await ask("POST", path, {"metadata": {"name": "g"}, "spec": spec})
    answer = await ask("PATCH", f"{path}/g", {}, content_type="application/strategic-merge-patch+json")
    assert answer.status == 415
