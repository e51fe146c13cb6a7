"""CustomResourceDefinitions: kinds that come and go, in several versions, with columns and defaults of their own."""

import copy

import pytest

from calico_lab import errors
from calico_lab.local.resources import CUSTOM_RESOURCE_DEFINITIONS, GATEWAYS, HTTP_ROUTES, Resource

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
OLDER_GATEWAYS = Resource("gateway.networking.k8s.io", "v1beta1", "gateways", "Gateway")
THINGS = Resource("example.com", "v1", "things", "Thing")
GATEWAY = {
    "metadata": {"name": "g", "namespace": "default"},
    "spec": {
        "gatewayClassName": "tigera-gateway-class",
        "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}],
    },
}
DEFINITION = {
    "metadata": {"name": "things.example.com"},
    "spec": {
        "group": "example.com",
        "names": {"kind": "Thing", "plural": "things"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object"}}}},
            }
        ],
    },
}


async def test_a_definition_is_established_at_once(client):
    made = await client.create(CUSTOM_RESOURCE_DEFINITIONS, DEFINITION)
    conditions = {entry["type"]: entry["status"] for entry in made["status"]["conditions"]}
    assert conditions == {"NamesAccepted": "True", "Established": "True"}
    assert made["status"]["storedVersions"] == ["v1"]
    assert made["spec"]["names"]["listKind"] == "ThingList"
    assert await client.list(THINGS) == ([], made["metadata"]["resourceVersion"])


async def test_fields_outside_the_schema_are_dropped(client):
    await client.create(CUSTOM_RESOURCE_DEFINITIONS, DEFINITION)
    item = {"metadata": {"name": "t", "namespace": "default"}, "spec": {"a": 1}, "extra": 1}
    assert (await client.create(THINGS, item)).keys() == {"apiVersion", "kind", "metadata", "spec"}


async def test_a_definition_takes_its_objects_with_it(client):
    await client.create(CUSTOM_RESOURCE_DEFINITIONS, DEFINITION)
    await client.create(THINGS, {"metadata": {"name": "t", "namespace": "default"}})
    await client.delete(CUSTOM_RESOURCE_DEFINITIONS, "things.example.com")
    with pytest.raises(errors.NotFound, match="could not find the requested resource"):
        await client.list(THINGS)
    await client.create(CUSTOM_RESOURCE_DEFINITIONS, DEFINITION)
    assert (await client.list(THINGS))[0] == []


async def test_a_definition_must_bear_the_name_of_its_resource(client):
    wrong = copy.deepcopy(DEFINITION)
    wrong["metadata"]["name"] = "stuff.example.com"
    with pytest.raises(errors.Invalid, match=r'metadata.name: Invalid value: "stuff.example.com": must be spec.names'):
        await client.create(CUSTOM_RESOURCE_DEFINITIONS, wrong)


async def test_defaults_of_spec_and_status(client, gateway_api):
    made = await client.create(GATEWAYS, GATEWAY)
    assert made["spec"]["listeners"][0]["allowedRoutes"] == {"namespaces": {"from": "Same"}}
    waiting = [(entry["type"], entry["status"], entry["reason"]) for entry in made["status"]["conditions"]]
    assert waiting == [("Accepted", "Unknown", "Pending"), ("Programmed", "Unknown", "Pending")]


async def test_an_object_is_the_same_in_every_version(client, gateway_api):
    await client.create(OLDER_GATEWAYS, GATEWAY)
    older, newer = await client.get(OLDER_GATEWAYS, "g", "default"), await client.get(GATEWAYS, "g", "default")
    assert (older.pop("apiVersion"), newer.pop("apiVersion")) == (
        "gateway.networking.k8s.io/v1beta1",
        "gateway.networking.k8s.io/v1",
    )
    assert older == newer


async def test_the_columns_of_gateways(client, ask, gateway_api):
    await client.create(GATEWAYS, GATEWAY)
    status = {"addresses": [{"type": "IPAddress", "value": "10.10.10.0"}]}
    await client.patch(GATEWAYS, "g", "default", {"status": status}, subresource="status")
    answer = await ask("GET", "/apis/gateway.networking.k8s.io/v1/gateways", accept=TABLE)
    assert [each["name"] for each in answer.body["columnDefinitions"]] == [
        *("Name", "Class", "Address", "Programmed", "Age")
    ]
    assert answer.body["rows"][0]["cells"][:4] == ["g", "tigera-gateway-class", "10.10.10.0", "Unknown"]


async def test_hostnames_are_printed_as_json(client, ask, gateway_api):
    spec = {"parentRefs": [{"name": "g"}], "hostnames": ["www.example.com"]}
    await client.create(HTTP_ROUTES, {"metadata": {"name": "r", "namespace": "default"}, "spec": spec})
    answer = await ask("GET", "/apis/gateway.networking.k8s.io/v1/httproutes", accept=TABLE)
    assert answer.body["rows"][0]["cells"][:2] == ["r", '["www.example.com"]']


async def test_deprecated_versions_warn(ask, gateway_api):
    answer = await ask("GET", "/apis/gateway.networking.k8s.io/v1alpha2/referencegrants")
    assert answer.headers["Warning"].startswith('299 - "The v1alpha2 version of ReferenceGrant has been deprecated')


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scope": "Galaxy"}, 'spec.scope: Unsupported value: "Galaxy": supported values: "Cluster", "Namespaced"'),
        ({"group": "example"}, 'spec.group: Invalid value: "example": should be a domain with at least one dot'),
        ({"group": "discovery.k8s.io"}, "spec.group: Forbidden: the server itself serves this group"),
        ({"names": {"kind": "Thing", "plural": "Things"}}, 'spec.names.plural: Invalid value: "Things": a DNS-1035'),
        ({"names": {"kind": "a thing", "plural": "things"}}, "may have mixed case, but should otherwise match"),
    ],
)
async def test_definitions_that_name_nothing_that_can_be_served(ask, change, message):
    schema = {"openAPIV3Schema": {"type": "object"}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    names = {"kind": "Thing", "plural": "things"}
    spec = {"group": "example.com", "names": names, "scope": "Cluster", "versions": [version]} | change
    definition = {"metadata": {"name": f"{spec['names']['plural']}.{spec['group']}"}, "spec": spec}
    answer = await ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
    assert answer.status == 422
    assert message in answer.body["message"]
