"""Any sequence of writes: resourceVersion only grows, a watch replays exactly what followed the list it began at."""

import asyncio
import json

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from support.kubectl import TOKEN

from calico_lab.local.apiserver.server import ApiServer
from calico_lab.local.wire import Request

MAPS = "/api/v1/namespaces/default/configmaps"
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"
NAMES = st.sampled_from(["a", "b", "c"])
VALUES = st.sampled_from(["1", "2", "3"])


class Histories(RuleBasedStateMachine):
    """The server against a model: objects by name, and the log of what should have happened."""

    @initialize()
    def start(self):
        self.loop = asyncio.new_event_loop()
        self.server = ApiServer(seed="tests", tokens={TOKEN: "kubernetes-admin"})
        self.objects, self.log, self.watches = {}, [], []
        self.stale = {}

    def ask(self, method, path, body=None, content_type="application/json", **query):
        headers = {"authorization": f"Bearer {TOKEN}", "content-type": content_type}
        encoded = b"" if body is None else json.dumps(body).encode()
        request = Request(method, path, tuple(query.items()), headers, encoded)
        response = self.loop.run_until_complete(self.server.handle(request))
        return response if response.stream else (response.status, json.loads(response.body))

    def happened(self, event, item):
        metadata = item["metadata"]
        self.log.append((event, metadata["name"], item.get("data"), int(metadata["resourceVersion"])))

    def written(self, name, status, item):
        """Note what a write that should succeed has made of an object."""
        assert status in (200, 201), item
        before = self.objects.get(name)
        if before is None or before["metadata"]["resourceVersion"] != item["metadata"]["resourceVersion"]:
            self.happened("MODIFIED" if before else "ADDED", item)
            if before:
                self.stale[name] = before
        else:
            assert before.get("data") == item.get("data")
        self.objects[name] = item

    @rule(name=NAMES, value=VALUES)
    def create(self, name, value):
        status, item = self.ask("POST", MAPS, {"metadata": {"name": name}, "data": {"a": value}})
        if name in self.objects:
            assert status == 409
        else:
            self.written(name, status, item)

    @rule(name=NAMES, value=VALUES)
    def update(self, name, value):
        if name in self.objects:
            changed = self.objects[name] | {"data": {"a": value}}
            self.written(name, *self.ask("PUT", f"{MAPS}/{name}", changed))

    @rule(name=NAMES, value=VALUES)
    def update_of_an_old_version(self, name, value):
        old = self.stale.get(name)
        if old and name in self.objects:
            assert self.ask("PUT", f"{MAPS}/{name}", old | {"data": {"a": value}})[0] == 409

    @rule(name=NAMES, value=VALUES)
    def patch(self, name, value):
        status, item = self.ask("PATCH", f"{MAPS}/{name}", {"data": {"b": value}}, MERGE)
        if name in self.objects:
            self.written(name, status, item)
        else:
            assert status == 404

    @rule(name=NAMES, value=VALUES, manager=st.sampled_from(["x", "y"]))
    def apply(self, name, value, manager):
        config = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"c": value}}
        self.written(name, *self.ask("PATCH", f"{MAPS}/{name}", config, APPLY, fieldManager=manager, force="true"))

    @rule(name=NAMES)
    def delete(self, name):
        status, _ = self.ask("DELETE", f"{MAPS}/{name}")
        if name in self.objects:
            assert status == 200
            item = self.objects.pop(name)
            version = str(self.server._store.resource_version)
            self.happened("DELETED", item | {"metadata": item["metadata"] | {"resourceVersion": version}})
            self.stale.pop(name, None)
        else:
            assert status == 404

    @rule()
    def dry_run(self):
        self.ask("POST", MAPS, {"metadata": {"name": "dry"}}, dryRun="All")

    @rule()
    def watch_from_a_list(self):
        _, listed = self.ask("GET", MAPS)
        self.watch(listed["metadata"]["resourceVersion"], len(self.log))

    @rule(data=st.data())
    def watch_from_the_past(self, data):
        if self.log:
            position = data.draw(st.integers(0, len(self.log) - 1))
            self.watch(str(self.log[position][3]), position + 1)

    def watch(self, version, position):
        response = self.ask("GET", MAPS, watch="true", resourceVersion=version)
        self.watches.append((response.stream, position))

    @invariant()
    def versions_only_grow(self):
        versions = [version for *_, version in self.log]
        assert versions == sorted(set(versions))

    @invariant()
    def a_list_shows_what_is_there(self):
        _, listed = self.ask("GET", MAPS)
        assert [item["metadata"]["name"] for item in listed["items"]] == sorted(self.objects)
        assert all(item == self.objects[item["metadata"]["name"]] | item for item in listed["items"])

    def teardown(self):
        if not hasattr(self, "loop"):
            return
        # The last event shows that there was nothing more before it.
        self.written("end", *self.ask("POST", MAPS, {"metadata": {"name": "end"}}))
        for stream, position in self.watches:
            assert self.loop.run_until_complete(until_end(stream)) == self.log[position:]
        self.loop.close()


async def until_end(stream):
    events = []
    async for piece in stream:
        for line in piece.splitlines():
            event = json.loads(line)
            metadata = event["object"]["metadata"]
            version = int(metadata["resourceVersion"])
            events.append((event["type"], metadata["name"], event["object"].get("data"), version))
        if events and events[-1][1] == "end":
            break
    await stream.aclose()
    return events


Histories.TestCase.settings = settings(max_examples=100, stateful_step_count=40)
TestHistories = Histories.TestCase
