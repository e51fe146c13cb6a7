"""What a client learns before it asks for anything: groups, resources, documents, versions, and who it is."""

import pytest

from calico_lab.local.topology import KUBERNETES_VERSION
from calico_lab.local.wire import Request

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


def resources_of(answer):
    return {
        (group["metadata"].get("name", ""), version["version"], resource["resource"]): resource
        for group in answer.body["items"]
        for version in group["versions"]
        for resource in version["resources"]
    }


async def test_both_forms_of_discovery_tell_the_same(ask, gateway_api):
    found = resources_of(await ask("GET", "/api", accept=AGGREGATED))
    found |= resources_of(await ask("GET", "/apis", accept=AGGREGATED))
    told = set()
    groups = (await ask("GET", "/apis")).body["groups"]
    paths = [("", "v1", "/api/v1")]
    paths += [(g["name"], v["version"], f"/apis/{v['groupVersion']}") for g in groups for v in g["versions"]]
    for group, version, path in paths:
        names = [entry["name"] for entry in (await ask("GET", path)).body["resources"]]
        told |= {(group, version, name) for name in names if "/" not in name}
    assert told == found.keys()


async def test_gateways_appear_with_their_definition(ask, client):
    before = await ask("GET", "/apis/gateway.networking.k8s.io")
    assert (before.status, before.body["message"]) == (404, "the server could not find the requested resource")


async def test_gateways_are_served_in_both_versions(ask, gateway_api):
    group = (await ask("GET", "/apis/gateway.networking.k8s.io")).body
    assert group["preferredVersion"]["version"] == "v1"
    assert [each["version"] for each in group["versions"]] == ["v1", "v1beta1", "v1alpha3", "v1alpha2"]
    gateways = resources_of(await ask("GET", "/apis", accept=AGGREGATED))[
        "gateway.networking.k8s.io", "v1beta1", "gateways"
    ]
    assert (gateways["shortNames"], gateways["categories"]) == (["gtw"], ["gateway-api"])


async def test_subresources_are_told_with_their_kinds(ask):
    deployments = resources_of(await ask("GET", "/apis", accept=AGGREGATED))["apps", "v1", "deployments"]
    kinds = {entry["subresource"]: entry["responseKind"]["kind"] for entry in deployments["subresources"]}
    assert kinds == {"scale": "Scale", "status": "Deployment"}


async def test_every_document_lets_the_server_validate_fields(ask, gateway_api):
    index = (await ask("GET", "/openapi/v3")).body["paths"]
    assert {"api/v1", "apis/apps/v1", "apis/gateway.networking.k8s.io/v1beta1"} <= index.keys()
    for entry in index.values():
        document = (await ask("GET", entry["serverRelativeURL"])).body
        patches = [methods["patch"] for methods in document["paths"].values() if "patch" in methods]
        assert all("fieldValidation" in {p["name"] for p in patch["parameters"]} for patch in patches)


async def test_documents_are_whole(ask):
    document = (await ask("GET", "/openapi/v3/apis/apps/v1")).body
    schemas = document["components"]["schemas"]
    assert not {name.rpartition("/")[2] for name in _references(document)} - schemas.keys()
    kinds = [
        entry["kind"] for schema in schemas.values() for entry in schema.get("x-kubernetes-group-version-kind", ())
    ]
    assert {"Deployment", "ReplicaSet"} <= set(kinds)


def _references(value):
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for entry in value:
            yield from _references(entry)


async def test_the_version(ask):
    assert (await ask("GET", "/version")).body["gitVersion"] == KUBERNETES_VERSION


@pytest.mark.parametrize("path", ["/", "/apis/none.example.com/v1/things", "/api/v1/nothing", "/api/v2", "/metrics"])
async def test_paths_that_are_not_served(ask, path):
    answer = await ask("GET", path)
    assert (answer.status, answer.body["reason"]) == (404, "NotFound")


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", "Basic dTpw"])
async def test_without_a_token_nothing_is_told(server, authorization):
    response = await server.handle(Request("GET", "/api/v1/pods", (), {"authorization": authorization}))
    assert response.status == 401


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz", "/version"])
async def test_health_needs_no_token(server, path):
    assert (await server.handle(Request("GET", path))).status == 200


async def test_who_one_is(ask):
    answer = await ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {})
    assert answer.body["status"]["userInfo"]["username"] == "kubernetes-admin"


async def test_what_one_may_do(ask):
    item = {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}
    answer = await ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", item)
    assert answer.body["status"]["allowed"] is True


@pytest.mark.parametrize(("method", "path"), [("PUT", "/api/v1/pods"), ("POST", "/api/v1/namespaces/default/pods/x")])
async def test_verbs_that_a_path_does_not_take(ask, method, path):
    assert (await ask(method, path, {})).status == 405
