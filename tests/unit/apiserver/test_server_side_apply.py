"""Server-side apply: who manages which fields, what conflicts, what goes when nobody applies it any longer."""

import json

import pytest

from calico_lab.local.resources import CONFIG_MAPS, DEPLOYMENTS, SERVICES

APPLY = "application/apply-patch+yaml"
DEPLOYMENT = "/apis/apps/v1/namespaces/default/deployments/web"
MAP = "/api/v1/namespaces/default/configmaps/settings"


@pytest.fixture
def apply(ask):
    async def apply(path, item, manager="kubectl", **query):
        identity = {"apiVersion": "apps/v1", "kind": "Deployment"} if "apps" in path else {}
        identity = identity or {"apiVersion": "v1", "kind": "ConfigMap"}
        return await ask("PATCH", path, identity | item, content_type=APPLY, fieldManager=manager, **query)

    return apply


def data(**data):
    return {"data": data}


def managers(item):
    return {(entry["manager"], entry["operation"]): entry["fieldsV1"] for entry in item["metadata"]["managedFields"]}


async def test_apply_creates_and_changes(apply):
    first = await apply(MAP, data(a="1"))
    again = await apply(MAP, data(a="1"))
    changed = await apply(MAP, data(a="2"))
    assert (first.status, again.status, changed.body["data"]) == (201, 200, {"a": "2"})
    assert again.body["metadata"]["resourceVersion"] == first.body["metadata"]["resourceVersion"]
    assert managers(changed.body) == {("kubectl", "Apply"): {"f:data": {"f:a": {}}}}


async def test_what_is_applied_no_longer_goes(apply):
    await apply(MAP, data(a="1", b="2"))
    assert (await apply(MAP, data(a="1"))).body["data"] == {"a": "1"}
    assert "data" not in (await apply(MAP, {})).body


async def test_what_others_have_stays(apply):
    await apply(MAP, data(a="1", b="2"))
    both = await apply(MAP, data(b="2", c="3"), manager="other")
    assert both.body["data"] == {"a": "1", "b": "2", "c": "3"}
    assert (await apply(MAP, data(a="1"))).body["data"] == {"a": "1", "b": "2", "c": "3"}
    assert (await apply(MAP, {}, manager="other")).body["data"] == {"a": "1"}


async def test_a_conflict_and_how_it_is_forced(apply):
    await apply(MAP, data(a="1"))
    refused = await apply(MAP, data(a="2"), manager="other")
    assert (refused.status, refused.body["reason"]) == (409, "Conflict")
    assert refused.body["message"] == 'Apply failed with 1 conflict: conflict with "kubectl": .data.a'
    assert refused.body["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "kubectl"', "field": ".data.a"}
    ]
    forced = await apply(MAP, data(a="2"), manager="other", force="true")
    assert managers(forced.body) == {("other", "Apply"): {"f:data": {"f:a": {}}}}


async def test_several_conflicts_are_listed(apply):
    await apply(MAP, data(a="1", b="1"))
    refused = await apply(MAP, data(a="2", b="2"), manager="other")
    message = 'Apply failed with 2 conflicts: conflicts with "kubectl":\n- .data.a\n- .data.b'
    assert refused.body["message"] == message


async def test_an_update_takes_fields_away_from_who_applied_them(client, ask, apply, make):
    await client.create(DEPLOYMENTS, make.deployment())
    change = {"spec": {"replicas": 7}}
    await ask("PATCH", DEPLOYMENT, change, content_type="application/merge-patch+json", fieldManager="scaler")
    refused = await apply(DEPLOYMENT, {"spec": {"replicas": 1}})
    assert refused.body["message"] == (
        'Apply failed with 1 conflict: conflict with "scaler" using apps/v1: .spec.replicas'
    )


async def test_scaling_is_put_down_to_its_subresource(client, ask, apply, make):
    await client.create(DEPLOYMENTS, make.deployment())
    await ask("PATCH", DEPLOYMENT + "/scale", {"spec": {"replicas": 2}}, content_type="application/merge-patch+json")
    message = (await apply(DEPLOYMENT, {"spec": {"replicas": 1}})).body["message"]
    assert message.endswith('conflict with "unknown" with subresource "scale" using apps/v1: .spec.replicas')


def template(*containers):
    labels = {"app": "web"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": list(containers)}}
    return {"spec": {"selector": {"matchLabels": labels}, "template": pod}}


def container(name, **more):
    return {"name": name, "image": "echo"} | more


async def test_list_elements_are_told_apart_by_their_keys(apply):
    await apply(DEPLOYMENT, template(container("a"), container("b")))
    both = await apply(DEPLOYMENT, template(container("c")), manager="other")
    names = [each["name"] for each in both.body["spec"]["template"]["spec"]["containers"]]
    assert sorted(names) == ["a", "b", "c"]
    left = await apply(DEPLOYMENT, template(container("b")))
    assert {each["name"] for each in left.body["spec"]["template"]["spec"]["containers"]} == {"b", "c"}


async def test_ports_have_a_protocol_even_where_none_is_said(apply):
    port = {"containerPort": 80}
    await apply(DEPLOYMENT, template(container("a", ports=[port])))
    again = await apply(DEPLOYMENT, template(container("a", ports=[port | {"name": "http"}])))
    assert len(again.body["spec"]["template"]["spec"]["containers"][0]["ports"]) == 1
    fields = json.dumps(managers(again.body)["kubectl", "Apply"])
    assert r"k:{\"containerPort\":80,\"protocol\":\"TCP\"}" in fields


async def test_an_atomic_map_has_one_owner(apply):
    created = await apply(DEPLOYMENT, template(container("a")))
    assert managers(created.body)["kubectl", "Apply"]["f:spec"]["f:selector"] == {}


async def test_defaults_belong_to_nobody(apply):
    created = await apply(DEPLOYMENT, template(container("a")))
    assert created.body["spec"]["replicas"] == 1
    assert "f:replicas" not in managers(created.body)["kubectl", "Apply"]["f:spec"]


async def test_finalizers_are_a_set(apply):
    await apply(MAP, {"metadata": {"finalizers": ["a.example/b"]}})
    both = await apply(MAP, {"metadata": {"finalizers": ["c.example/d"]}}, manager="other")
    assert both.body["metadata"]["finalizers"] == ["c.example/d", "a.example/b"]
    assert managers(both.body)["other", "Apply"] == {"f:metadata": {"f:finalizers": {'v:"c.example/d"': {}}}}


async def test_an_owner_of_status_only_owns_status(client, apply, make):
    await client.create(DEPLOYMENTS, make.deployment())
    status = {"observedGeneration": 1, "replicas": 3}
    answer = await apply(DEPLOYMENT + "/status", {"status": status, "spec": {"replicas": 9}}, manager="controller")
    assert (answer.body["status"]["replicas"], answer.body["spec"]["replicas"]) == (3, 4)
    entry = next(e for e in answer.body["metadata"]["managedFields"] if e["manager"] == "controller")
    assert entry["subresource"] == "status"
    assert entry["fieldsV1"] == {"f:status": {"f:observedGeneration": {}, "f:replicas": {}}}


async def test_dry_run_changes_nothing(client, apply):
    answer = await apply(MAP, data(a="1"), dryRun="All")
    assert (answer.status, answer.body["data"]) == (201, {"a": "1"})
    assert await client.list(CONFIG_MAPS) == ([], (await client.list(CONFIG_MAPS))[1])


@pytest.mark.parametrize(
    ("path", "item", "status", "message"),
    [
        (MAP, {"metadata": {"managedFields": []}}, 400, "metadata.managedFields must be nil"),
        (MAP, {"metadata": {"resourceVersion": "1"}}, 404, 'configmaps "settings" not found'),
        (MAP, {"metadata": {"name": "x"}}, 400, "the name of the object (x) does not match the name on the URL"),
        (MAP, {"kind": "Secret"}, 400, "the object provided is unrecognized: Secret of v1 was sent where ConfigMap"),
        (DEPLOYMENT, {"spec": {"replicsa": 1}}, 400, ".spec.replicsa: field not declared in schema"),
        (DEPLOYMENT, template(container("a"), container("a")), 400, 'duplicate entries for key [name="a"]'),
    ],
)
async def test_configurations_that_cannot_be_applied(apply, path, item, status, message):
    answer = await apply(path, item)
    assert answer.status == status
    assert message in answer.body["message"]


async def test_a_manager_must_be_named(ask):
    answer = await ask("PATCH", MAP, {"apiVersion": "v1", "kind": "ConfigMap"}, content_type=APPLY)
    message = 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'
    assert (answer.status, answer.body["message"]) == (422, message)


@pytest.mark.parametrize(
    "body",
    [
        b"a: &a [*a]",
        b"a: !!binary aGk=",
        b"? [1]\n: 2",
        b"a: .nan",
        b"\x00",
        b"a: b: c",
        b"[" * 250000,
        b"- " * 250000,
        b"? " * 250000,
    ],
)
async def test_yaml_that_json_could_not_say(ask, body):
    answer = await ask("PATCH", MAP, body, content_type=APPLY, fieldManager="x")
    assert answer.status == 400


async def test_yaml_as_people_write_it(ask):
    body = b"apiVersion: v1\nkind: ConfigMap\ndata:\n  when: 2026-01-01\n  answer: 'no'\n"
    answer = await ask("PATCH", MAP, body, content_type=APPLY, fieldManager="x")
    assert answer.body["data"] == {"when": "2026-01-01", "answer": "no"}


async def test_a_client_may_rewrite_who_manages_what(client, ask, apply):
    item = (await apply(MAP, data(a="1"))).body
    entry = item["metadata"]["managedFields"][0] | {"manager": "renamed"}
    patch = [{"op": "replace", "path": "/metadata/managedFields", "value": [entry]}]
    answer = await ask("PATCH", MAP, patch, content_type="application/json-patch+json")
    assert list(managers(answer.body)) == [("renamed", "Apply")]
    patch[0]["value"] = [{}]
    answer = await ask("PATCH", MAP, patch, content_type="application/json-patch+json")
    assert answer.body["metadata"]["managedFields"] == []


async def test_an_update_of_nothing_changes_nobodys_fields(client, make):
    created = await client.create(SERVICES, make.service())
    assert await client.replace(SERVICES, created) == created


MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: echo}]}
"""


async def test_kubectl_moves_from_its_own_apply_to_the_servers(client, kubectl):
    assert await kubectl("apply", "-f", "-", given=MANIFEST) == (0, "deployment.apps/web created\n")
    changed = MANIFEST.replace("replicas: 2", "replicas: 3")
    output = await kubectl("apply", "--server-side", "-f", "-", given=changed)
    assert output == (0, "deployment.apps/web serverside-applied\n")
    item = await client.get(DEPLOYMENTS, "web", "default")
    assert item["spec"]["replicas"] == 3
    assert ("kubectl", "Apply") in managers(item)
    # And back again: the annotation has followed.
    assert await kubectl("apply", "-f", "-", given=changed) == (0, "deployment.apps/web configured\n")


async def test_kubectl_tells_of_a_conflict(kubectl):
    await kubectl("apply", "-f", "-", given=MANIFEST)
    changed = MANIFEST.replace("replicas: 2", "replicas: 3")
    arguments = ("apply", "--server-side", "--field-manager=team", "-f", "-")
    code, output = await kubectl(*arguments, given=changed)
    assert code == 1
    assert (
        'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas'
        in output
    )
    forced = await kubectl(*arguments, "--force-conflicts", given=changed)
    assert forced == (0, "deployment.apps/web serverside-applied\n")


async def test_managed_fields_are_shown_only_on_request(kubectl):
    await kubectl("apply", "-f", "-", given=MANIFEST)
    _, plain = await kubectl("get", "deployment", "web", "-o", "yaml")
    _, shown = await kubectl("get", "deployment", "web", "-o", "yaml", "--show-managed-fields")
    assert "managedFields" not in plain
    assert "manager: kubectl-client-side-apply" in shown


async def test_diff(kubectl):
    await kubectl("apply", "-f", "-", given=MANIFEST)
    code, output = await kubectl("diff", "-f", "-", given=MANIFEST.replace("replicas: 2", "replicas: 5"))
    assert code == 1
    assert "-  replicas: 2\n+  replicas: 5\n" in output
    assert await kubectl("diff", "-f", "-", given=MANIFEST) == (0, "")
    code, output = await kubectl("diff", "--server-side", "-f", "-", given=MANIFEST.replace("image: echo", "image: b"))
    assert (code, "image: b" in output) == (1, True)
