"""Watches: every change once and in order, from where the client says, for what it selects."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings, strategies
from support.eventually import LIMIT_SECONDS

from calico_lab import errors
from calico_lab.local import resources
from calico_lab.local.apiserver import store, watch
from calico_lab.local.apiserver.server import ApiServer
from calico_lab.local.client import ApiClient
from calico_lab.local.resources import CONFIG_MAPS, CUSTOM_RESOURCE_DEFINITIONS, GATEWAYS

MAPS = "/api/v1/namespaces/default/configmaps"
STREAMING_LIST = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


async def test_changes_come_in_order(client, ask, make):
    _, version = await client.list(CONFIG_MAPS)
    events = await ask.watch(MAPS, resourceVersion=version)
    await client.create(CONFIG_MAPS, make.config_map("a"))
    await client.patch(CONFIG_MAPS, "a", "default", {"data": {"x": "1"}})
    await client.delete(CONFIG_MAPS, "a", "default")
    assert await events.take(3) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]


async def test_without_a_version_a_watch_begins_with_what_there_is(client, ask, make):
    await client.create(CONFIG_MAPS, make.config_map("a"))
    events = await ask.watch(MAPS)
    await client.create(CONFIG_MAPS, make.config_map("b"))
    assert await events.take(2) == [("ADDED", "a"), ("ADDED", "b")]


async def test_a_streaming_list_ends_with_a_bookmark(client, ask, make):
    await client.create(CONFIG_MAPS, make.config_map("a"))
    events = await ask.watch(MAPS, **STREAMING_LIST)
    await client.create(CONFIG_MAPS, make.config_map("b"))
    assert await events.take(1) == [("ADDED", "a")]
    bookmark = await events.next()
    assert bookmark["type"] == "BOOKMARK"
    assert bookmark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert await events.take(1) == [("ADDED", "b")]


async def test_initial_events_need_their_companion(ask):
    answer = await ask("GET", MAPS, watch="true", sendInitialEvents="true")
    assert (answer.status, answer.body["reason"]) == (422, "Invalid")


async def test_an_object_that_stops_matching_is_deleted_for_the_watcher(client, ask, make):
    events = await ask.watch(MAPS, labelSelector="color=red")
    await client.create(CONFIG_MAPS, make.config_map("a"))
    for color in ("red", "blue"):
        await client.patch(CONFIG_MAPS, "a", "default", {"metadata": {"labels": {"color": color}}})
    added, deleted = await events.next(), await events.next()
    assert (added["type"], deleted["type"]) == ("ADDED", "DELETED")
    assert deleted["object"]["metadata"]["labels"] == {"color": "red"}
    assert int(deleted["object"]["metadata"]["resourceVersion"]) > int(added["object"]["metadata"]["resourceVersion"])


async def test_a_watch_of_one_object_and_of_one_namespace(client, ask, make):
    events = await ask.watch(MAPS, fieldSelector="metadata.name=b")
    await client.create(CONFIG_MAPS, make.config_map("b", "kube-system"))
    await client.create(CONFIG_MAPS, make.config_map("a"))
    await client.create(CONFIG_MAPS, make.config_map("b"))
    assert await events.take(1) == [("ADDED", "b")]
    assert (await client.list(CONFIG_MAPS))[1] == (await client.get(CONFIG_MAPS, "b", "default"))["metadata"][
        "resourceVersion"
    ]


async def test_a_version_that_is_forgotten(client, ask, make, monkeypatch):
    monkeypatch.setattr(store, "HISTORY", 3)
    _, version = await client.list(CONFIG_MAPS)
    await client.create(CONFIG_MAPS, make.config_map("a"))
    for number in range(10):
        await client.patch(CONFIG_MAPS, "a", "default", {"data": {"x": str(number)}})
    answer = await ask("GET", MAPS, watch="true", resourceVersion=version)
    assert (answer.status, answer.body["reason"]) == (410, "Expired")


async def test_a_watcher_that_falls_behind_is_told_so(client, make, monkeypatch):
    monkeypatch.setattr(store, "HISTORY", 3)
    _, version = await client.list(CONFIG_MAPS)
    events = client.watch(CONFIG_MAPS, version)
    await client.create(CONFIG_MAPS, make.config_map("a"))
    assert (await anext(events)).type == "ADDED"
    for number in range(10):
        await client.patch(CONFIG_MAPS, "a", "default", {"data": {"x": str(number)}})
    with pytest.raises(errors.Gone):
        await anext(events)


async def test_a_version_of_another_life_of_the_server(ask):
    answer = await ask("GET", MAPS, watch="true", resourceVersion="999999")
    assert answer.status == 504
    assert answer.body["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"


async def test_a_watch_ends_after_its_time(client, ask):
    _, version = await client.list(CONFIG_MAPS)
    events = await ask.watch(MAPS, resourceVersion=version, timeoutSeconds="1")
    assert await events.ended()


async def test_bookmarks_come_where_nothing_else_does(client, ask, monkeypatch):
    monkeypatch.setattr(watch, "BOOKMARK_SECONDS", 0.01)
    _, version = await client.list(CONFIG_MAPS)
    events = await ask.watch(MAPS, resourceVersion=version, allowWatchBookmarks="true")
    bookmark = await events.next()
    assert (bookmark["type"], bookmark["object"]["metadata"]["resourceVersion"]) == ("BOOKMARK", version)


async def test_a_table_names_its_columns_once(client, ask, make):
    events = await ask.watch(MAPS, accept=TABLE)
    for name in ("a", "b"):
        await client.create(CONFIG_MAPS, make.config_map(name, x="1"))
    tables = [(await events.next())["object"] for _ in range(2)]
    assert [len(table["columnDefinitions"]) for table in tables] == [3, 0]
    assert [table["rows"][0]["cells"][:2] for table in tables] == [["a", 1], ["b", 1]]


async def test_a_watch_ends_with_its_definition(client, ask, gateway_api):
    events = await ask.watch("/apis/gateway.networking.k8s.io/v1/gateways")
    await client.delete(CUSTOM_RESOURCE_DEFINITIONS, "gateways.gateway.networking.k8s.io")
    assert await events.ended()
    with pytest.raises(errors.NotFound, match="the server could not find the requested resource"):
        await client.list(GATEWAYS)


async def test_a_closed_watch_leaves_nothing_behind(server, client, ask, make):
    history = server._store.history(("", "configmaps"))
    events = await ask.watch(MAPS)
    await client.create(CONFIG_MAPS, make.config_map("a"))
    await events.next()
    assert len(history._waiting) == 1
    await events.close()
    assert not history._waiting


_STEPS = strategies.lists(
    strategies.tuples(strategies.sampled_from(["put", "delete"]), strategies.sampled_from("abc")), max_size=30
)


@given(before=_STEPS, after=_STEPS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_list_and_the_watch_from_it_tell_the_whole_story(before, after):
    async def story():
        client = ApiClient(ApiServer(seed="", tokens={"t": "u"}).handle, token="t")
        await _do(client, before)
        items, version = await client.list(CONFIG_MAPS)
        await _do(client, after)
        mirror = {item["metadata"]["name"]: item for item in items}
        versions = [int(version)]
        expected, last = await client.list(CONFIG_MAPS)
        events = client.watch(CONFIG_MAPS, version)
        while versions[-1] < int(last):
            event = await asyncio.wait_for(anext(events), LIMIT_SECONDS)
            versions.append(int(event.object["metadata"]["resourceVersion"]))
            name = event.object["metadata"]["name"]
            assert (name in mirror) == (event.type != "ADDED")
            mirror.pop(name, None)
            if event.type != "DELETED":
                mirror[name] = event.object
        await events.aclose()
        assert versions == sorted(set(versions))
        assert mirror == {item["metadata"]["name"]: item for item in expected}

    asyncio.run(story())


async def _do(client, steps):
    for number, (step, name) in enumerate(steps):
        present = {item["metadata"]["name"] for item in (await client.list(resources.CONFIG_MAPS))[0]}
        if step == "delete" and name in present:
            await client.delete(CONFIG_MAPS, name, "default")
        elif step == "put" and name in present:
            await client.patch(CONFIG_MAPS, name, "default", {"data": {"x": str(number)}})
        elif step == "put":
            await client.create(CONFIG_MAPS, {"metadata": {"name": name, "namespace": "default"}})
