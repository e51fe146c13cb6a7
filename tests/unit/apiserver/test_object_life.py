"""Creation and change: names, metadata that the server owns, conflicts, and status apart from spec."""

import pytest

from calico_lab import errors
from calico_lab.local.resources import CONFIG_MAPS, DEPLOYMENTS, GATEWAYS, NAMESPACES, PODS


async def test_a_new_object_gets_what_the_server_owns(client, make):
    made = await client.create(CONFIG_MAPS, make.config_map(a="1"))
    assert made["data"] == {"a": "1"}
    assert {"uid", "creationTimestamp", "resourceVersion"} <= made["metadata"].keys()
    assert await client.get(CONFIG_MAPS, "settings", "default") == made


async def test_a_name_that_is_taken(client, make):
    await client.create(DEPLOYMENTS, make.deployment("backend"))
    with pytest.raises(errors.AlreadyExists) as raised:
        await client.create(DEPLOYMENTS, make.deployment("backend"))
    assert raised.value.problem == 'deployments.apps "backend" already exists'
    assert raised.value.details == {"name": "backend", "group": "apps", "kind": "deployments"}


async def test_an_object_that_is_not_there(client):
    with pytest.raises(errors.NotFound, match=r'^deployments.apps "backend" not found$'):
        await client.get(DEPLOYMENTS, "backend", "default")


async def test_generated_names_are_the_same_in_every_lab(client):
    item = {"metadata": {"generateName": "backend-", "namespace": "default"}}
    names = [(await client.create(CONFIG_MAPS, item))["metadata"]["name"] for _ in range(2)]
    assert names == ["backend-48w2s", "backend-8g4mc"]


async def test_a_generated_name_that_is_taken_is_passed_over(client, ask, make):
    item = {"metadata": {"generateName": "backend-", "namespace": "default"}}
    await client.create(CONFIG_MAPS, make.config_map("backend-48w2s"))
    assert (await client.create(CONFIG_MAPS, item))["metadata"]["name"] == "backend-8g4mc"


async def test_a_creation_that_fails_spends_no_name(client):
    bad = {"metadata": {"generateName": "backend-", "namespace": "default", "labels": {"a": "no spaces"}}}
    with pytest.raises(errors.Invalid):
        await client.create(CONFIG_MAPS, bad)
    del bad["metadata"]["labels"]
    assert (await client.create(CONFIG_MAPS, bad))["metadata"]["name"] == "backend-48w2s"


@pytest.mark.parametrize("name", ["Upper", "under_score", "-dash", "dot.", "a" * 254])
async def test_names_that_are_refused(client, name, make):
    with pytest.raises(errors.Invalid, match=r'^ConfigMap ".*" is invalid: metadata.name: Invalid value: '):
        await client.create(CONFIG_MAPS, make.config_map(name))


async def test_a_name_is_required(ask):
    answer = await ask("POST", "/api/v1/namespaces/default/configmaps", {})
    assert answer.status == 422
    cause = {"reason": "FieldValueRequired", "message": "Required value: name or generateName is required"}
    assert answer.body["details"]["causes"] == [cause | {"field": "metadata.name"}]


async def test_labels_are_checked(client, make):
    item = make.config_map()
    item["metadata"]["labels"] = {"a": "no spaces"}
    with pytest.raises(errors.Invalid, match=r'metadata.labels: Invalid value: "no spaces": a valid label must be'):
        await client.create(CONFIG_MAPS, item)


async def test_the_namespace_must_exist(client, make):
    with pytest.raises(errors.NotFound, match=r'^namespaces "nowhere" not found$'):
        await client.create(CONFIG_MAPS, make.config_map(namespace="nowhere"))


async def test_nothing_is_created_in_a_namespace_that_goes(client, make):
    await client.create(NAMESPACES, {"metadata": {"name": "shop"}})
    await client.delete(NAMESPACES, "shop")
    with pytest.raises(errors.Forbidden, match="namespace shop because it is being terminated"):
        await client.create(CONFIG_MAPS, make.config_map(namespace="shop"))


async def test_an_update_from_an_old_version_is_a_conflict(client, make):
    old = await client.create(CONFIG_MAPS, make.config_map(a="1"))
    await client.patch(CONFIG_MAPS, "settings", "default", {"data": {"a": "2"}})
    with pytest.raises(errors.Conflict) as raised:
        await client.replace(CONFIG_MAPS, old)
    assert raised.value.problem == (
        'Operation cannot be fulfilled on configmaps "settings": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )


async def test_an_update_that_changes_nothing_is_no_change(client, make):
    made = await client.create(CONFIG_MAPS, make.config_map(a="1"))
    assert await client.patch(CONFIG_MAPS, "settings", "default", {"data": {"a": "1"}}) == made


async def test_what_the_server_owns_cannot_be_changed(client, make):
    made = await client.create(CONFIG_MAPS, make.config_map())
    change = {"metadata": {"creationTimestamp": "2000-01-01T00:00:00Z", "generation": 7, "labels": {"a": "b"}}}
    changed = await client.patch(CONFIG_MAPS, "settings", "default", change)
    assert changed["metadata"]["labels"] == {"a": "b"}
    assert changed["metadata"]["creationTimestamp"] == made["metadata"]["creationTimestamp"]
    assert "generation" not in changed["metadata"]


async def test_the_generation_counts_changes_of_the_spec_only(client, make):
    await client.create(DEPLOYMENTS, make.deployment())
    labelled = await client.patch(DEPLOYMENTS, "web", "default", {"metadata": {"labels": {"a": "b"}}})
    scaled = await client.patch(DEPLOYMENTS, "web", "default", {"spec": {"replicas": 2}})
    status = {"status": {"observedGeneration": 2}}
    reported = await client.patch(DEPLOYMENTS, "web", "default", status, subresource="status")
    assert [each["metadata"]["generation"] for each in (labelled, scaled, reported)] == [1, 2, 2]


async def test_status_is_written_through_its_subresource_only(client, make):
    await client.create(DEPLOYMENTS, make.deployment() | {"status": {"replicas": 9}})
    both = {"spec": {"replicas": 2}, "status": {"replicas": 1}}
    through_main = await client.patch(DEPLOYMENTS, "web", "default", both)
    assert (through_main["spec"]["replicas"], through_main.get("status", {}).get("replicas")) == (2, None)
    both["spec"]["replicas"] = 3
    through_status = await client.patch(DEPLOYMENTS, "web", "default", both, subresource="status")
    assert (through_status["spec"]["replicas"], through_status["status"]["replicas"]) == (2, 1)


async def test_a_pod_starts_pending_under_a_service_account(client, make):
    made = await client.create(PODS, make.pod())
    assert made["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
    assert made["spec"]["serviceAccountName"] == "default"


async def test_a_pod_needs_its_service_account(client, make):
    with pytest.raises(errors.Forbidden) as raised:
        await client.create(PODS, make.pod(serviceAccountName="backend"))
    assert raised.value.problem == (
        'pods "web" is forbidden: error looking up service account default/backend: serviceaccount "backend" not found'
    )


async def test_an_unknown_field_is_refused_where_asked(ask, make):
    item = make.deployment()
    item["spec"]["replicsa"] = 3
    answer = await ask("POST", "/apis/apps/v1/namespaces/default/deployments", item, fieldValidation="Strict")
    assert answer.status == 400
    assert answer.body["message"].endswith('strict decoding error: unknown field "spec.replicsa"')


async def test_an_unknown_field_is_else_dropped_with_a_warning(ask, make):
    item = make.deployment()
    item["spec"]["replicsa"] = 3
    answer = await ask("POST", "/apis/apps/v1/namespaces/default/deployments", item)
    assert "replicsa" not in answer.body["spec"]
    assert answer.headers["Warning"] == '299 - "unknown field \\"spec.replicsa\\""'


async def test_a_dry_run_changes_nothing(client, ask, make):
    answer = await ask("POST", "/api/v1/namespaces/default/configmaps", make.config_map(a="1"), dryRun="All")
    assert (answer.status, answer.body["data"]) == (201, {"a": "1"})
    assert (await client.list(CONFIG_MAPS))[0] == []


async def test_another_kind_is_refused(ask):
    answer = await ask("POST", "/api/v1/namespaces/default/configmaps", {"apiVersion": "v1", "kind": "Secret"})
    assert (answer.status, answer.body["reason"]) == (400, "BadRequest")


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"metadata": 1}', b'{"metadata": {"labels": {"a": 1}}}', b"[" * 9999])
async def test_bodies_that_are_no_objects(ask, body):
    assert (await ask("POST", "/api/v1/namespaces/default/configmaps", body)).status == 400


async def test_a_network_policy_is_denied_never_stored(ask):
    path = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies"
    answer = await ask("POST", path, {"metadata": {"name": "x"}, "spec": {"podSelector": {}}})
    assert answer.status == 403
    assert "the local lab does not implement NetworkPolicy" in answer.body["message"]
    assert (await ask("GET", path)).body["items"] == []


async def test_a_custom_resource_is_replaced_from_a_version_only(client, gateway_api):
    spec = {"gatewayClassName": "x", "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}]}
    made = await client.create(GATEWAYS, {"metadata": {"name": "g", "namespace": "default"}, "spec": spec})
    del made["metadata"]["resourceVersion"]
    with pytest.raises(errors.Invalid, match=r"metadata.resourceVersion: Invalid value: 0: must be specified"):
        await client.replace(GATEWAYS, made)


async def test_half_a_character_is_replaced(ask):
    body = b'{"metadata": {"name": "x"}, "stringData": {"a": "\\ud800", "b": "\\ud83d\\ude00"}}'
    answer = await ask("POST", "/api/v1/namespaces/default/secrets", body)
    assert answer.body["data"] == {"a": "77+9", "b": "8J+YgA=="}
