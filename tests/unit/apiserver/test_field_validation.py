"""Unknown and duplicate fields, and what cannot change: refused, warned of, or let pass, as the client asks."""

import pytest

from calico_lab.local.resources import CONFIG_MAPS, PODS

MAPS = "/api/v1/namespaces/default/configmaps"
POD = "/api/v1/namespaces/default/pods/web"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
TWICE = b'{"metadata": {"name": "x"}, "data": {"a": "1", "a": "2"}, "data": {"a": "3"}}'


async def test_duplicate_fields_are_refused_when_strict(ask):
    answer = await ask("POST", MAPS, TWICE, fieldValidation="Strict")
    assert answer.status == 400
    assert answer.body["message"].endswith('strict decoding error: duplicate field "data.a", duplicate field "data"')


async def test_duplicate_fields_are_warned_of_otherwise(ask):
    answer = await ask("POST", MAPS, TWICE)
    assert (answer.status, answer.body["data"]) == (201, {"a": "3"})
    assert answer.headers["Warning"] == '299 - "duplicate field \\"data.a\\"", 299 - "duplicate field \\"data\\""'


async def test_nothing_is_said_when_ignored(ask):
    answer = await ask("POST", MAPS, TWICE, fieldValidation="Ignore")
    assert (answer.status, dict(answer.headers)) == (201, {})


async def test_duplicates_in_a_patch(ask, client, make):
    await client.create(CONFIG_MAPS, make.config_map("x"))
    body = b'{"data": {"a": "1", "a": "2"}}'
    answer = await ask("PATCH", MAPS + "/x", body, content_type=MERGE, fieldValidation="Strict")
    assert answer.status == 400
    assert 'duplicate field "data.a"' in answer.body["message"]


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        (
            {"metadata": {"name": "other"}},
            400,
            "the name of the object (other) does not match the name on the URL (web)",
        ),
        (
            {"metadata": {"namespace": "other"}},
            400,
            "the namespace of the provided object does not match the namespace",
        ),
        ({"metadata": {"uid": "other"}}, 409, "Precondition failed: UID in precondition: other"),
        ({"spec": {"nodeName": "worker1"}}, 422, "spec: Forbidden: pod updates may not change fields other than"),
        ({"kind": "Secret"}, 400, "Secret of v1 was sent where Pod of v1 is expected"),
    ],
)
async def test_what_cannot_change(ask, client, make, change, status, message):
    await client.create(PODS, make.pod())
    answer = await ask("PATCH", POD, change, content_type=MERGE)
    assert answer.status == status
    assert message in answer.body["message"]


def owner(name="x", **more):
    return {"apiVersion": "v1", "kind": "Pod", "name": name, "uid": name} | more


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"ownerReferences": [{"name": "x"}]}, 'ownerReferences[0].uid: Invalid value: "": must not be empty'),
        (
            {"ownerReferences": [owner("a", controller=True), owner("b", controller=True)]},
            "Only one reference can have Controller set to true",
        ),
        ({"finalizers": ["bad finalizer"]}, 'metadata.finalizers: Invalid value: "bad finalizer": name part must'),
    ],
)
async def test_owners_and_finalizers_that_make_no_sense(ask, metadata, message):
    answer = await ask("POST", MAPS, {"metadata": {"name": "x"} | metadata})
    assert answer.status == 422
    assert message in answer.body["message"]


async def test_a_finalizer_without_a_domain_is_warned_of(ask):
    answer = await ask("POST", MAPS, {"metadata": {"name": "x", "finalizers": ["mine"]}})
    assert answer.status == 201
    assert "prefer a domain-qualified finalizer name" in answer.headers["Warning"]


async def test_what_is_being_deleted_gets_no_new_finalizers(ask, client, make):
    await ask("POST", MAPS, {"metadata": {"name": "x", "finalizers": ["a.example/b"]}})
    await client.delete(CONFIG_MAPS, "x", "default")
    more = {"metadata": {"finalizers": ["a.example/b", "c.example/d"]}}
    answer = await ask("PATCH", MAPS + "/x", more, content_type=MERGE)
    assert answer.status == 422
    assert 'found new finalizers []string{"c.example/d"}' in answer.body["message"]
    gone = await ask("PATCH", MAPS + "/x", {"metadata": {"finalizers": None}}, content_type=MERGE)
    assert gone.status == 200
    assert (await ask("GET", MAPS + "/x")).status == 404


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        ({"op": "replace", "path": "/spec/x", "value": 1}, "replace operation does not apply: doc is missing path"),
        ({"op": "test", "path": "/data/a", "value": "2"}, "testing value /data/a failed: test failed"),
        ({"op": "remove", "path": "/data/b"}, 'remove operation does not apply: doc is missing path: "/data/b"'),
    ],
)
async def test_json_patches_that_do_not_apply(ask, client, make, operation, message):
    await client.create(CONFIG_MAPS, make.config_map("x", a="1"))
    answer = await ask("PATCH", MAPS + "/x", [operation], content_type=JSON_PATCH)
    assert answer.status == 422
    assert message in answer.body["details"]["causes"][0]["message"]


async def test_a_patch_that_copies_itself_over_and_over(ask, client, make):
    await client.create(CONFIG_MAPS, make.config_map("x", a="1" * 1000))
    copies = [{"op": "copy", "from": "", "path": f"/metadata/annotations{index}"} for index in range(40)]
    answer = await ask("PATCH", MAPS + "/x", copies, content_type=JSON_PATCH)
    assert answer.status == 422
    assert "copies more than" in answer.body["message"]
