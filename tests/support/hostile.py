"""Hostile requests, made from a seed: every path and verb, bodies that are nearly right, wrong, or no bodies at all."""

import copy
import gc
import json
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from calico_lab.local.wire import Request

TOKEN = "a-token-of-the-tests"
LONG_SECONDS = 0.5
NAMES = ("a", "default", "things.example.com", "kubernetes", "b.c", "UPPER", "%2e%2e", "x" * 300)
SUBRESOURCES = ("status", "scale", "log", "binding", "token", "finalize", "exec", "attach", "portforward", "eviction")
PARAMETERS = (
    "limit", "continue", "labelSelector", "fieldSelector", "resourceVersion", "resourceVersionMatch", "dryRun",
    "fieldValidation", "includeObject", "gracePeriodSeconds", "timeoutSeconds", "sendInitialEvents", "watch", "force",
    "fieldManager", "allowWatchBookmarks", "container", "command", "stdout", "follow", "tailLines", "propagationPolicy",
)  # fmt: skip
TEXTS = (
    "",
    "1",
    "-1",
    "x",
    "a=b",
    "All",
    "Strict",
    "a in (b)",
    "٣",
    "9" * 25,
    "true",
    "None",
    "metadata.name=a",
    "\ud800",
)
ACCEPT = (
    "application/json", "*/*", "", "x/y", ";;,,=", "application/json;as=Table;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1", "application/vnd.kubernetes.protobuf",
)  # fmt: skip
PATCHES = ("merge-patch+json", "json-patch+json", "strategic-merge-patch+json", "apply-patch+yaml")
SCALARS = (None, True, 0, -1, 1.5, 80, 2**70, "", "a", "10.49.0.9", "x" * 300, "\ud800", "a/b", "é", [], {}, [None])
FIELDS = (
    "apiVersion", "kind", "metadata", "name", "namespace", "labels", "annotations", "spec", "status", "replicas",
    "selector", "matchLabels", "template", "containers", "ports", "port", "type", "clusterIP", "finalizers",
    "ownerReferences", "generateName", "uid", "resourceVersion", "managedFields", "data", "conditions", "rules",
    "names", "versions", "group", "$patch", "$setElementOrder/containers", "$retainKeys", "path", "value", "nodePort",
    "cidr", "listeners", "image", "env", "schema", "openAPIV3Schema", "properties", "items", "scope", "target",
)  # fmt: skip
CONTAINER = {"name": "c", "image": "i", "ports": [{"containerPort": 80}]}
LABELS = {"a": "b"}
TEMPLATE = {"metadata": {"labels": LABELS}, "spec": {"containers": [CONTAINER]}}
SCHEMA = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}}}}}
VERSION = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": SCHEMA}}
MANAGED = {"manager": "a", "operation": "Apply", "apiVersion": "v1", "fieldsV1": {"f:data": {"f:x": {}}}}
OBJECTS = (
    {"spec": {"replicas": 2, "selector": {"matchLabels": LABELS}, "template": TEMPLATE}},
    {"spec": {"ports": [{"name": "h", "port": 80, "targetPort": "x"}], "selector": LABELS, "type": "LoadBalancer"}},
    {"spec": {"containers": [CONTAINER]}},
    {"spec": {"gatewayClassName": "x", "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}]}},
    {"spec": {"parentRefs": [{"name": "a"}], "rules": [{"backendRefs": [{"name": "b", "port": 3000}]}]}},
    {"spec": {"cidr": "10.1.0.0/26", "blockSize": 31, "allowedUses": ["LoadBalancer"]}},
    {"spec": {"asNumber": 64512, "serviceLoadBalancerIPs": [{"cidr": "10.10.10.0/26"}]}},
    {"spec": {"targetRefs": [{"kind": "HTTPRoute", "name": "x"}], "loadBalancer": {"type": "RoundRobin"}}},
    {"spec": {"group": "example.com", "names": {"kind": "Thing", "plural": "things"}, "scope": "Namespaced",
              "versions": [VERSION]}},
    {"data": {"x": "y"}, "metadata": {"managedFields": [MANAGED]}},
    {"stringData": {"x": "y"}, "metadata": {"finalizers": ["a.b/c"]}},
    {"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"]}], "ports": [{"port": 80}]},
    {"propagationPolicy": "Foreground", "target": {"kind": "Node", "name": "n"}},
)  # fmt: skip


class Hostile:
    """Makes requests against these kinds; the same seed makes the same ones."""

    def __init__(self, kinds, seed):
        self._kinds = list(kinds)
        self._chance = random.Random(seed)

    def request(self):
        """Return the next request."""
        chance = self._chance
        method = chance.choice(("GET", "POST", "POST", "PUT", "PATCH", "PATCH", "DELETE"))
        path, content_type = self._path(method), self._content_type(method)
        query = [(chance.choice(PARAMETERS), chance.choice(TEXTS)) for _ in range(chance.choice((0, 0, 0, 1, 3)))]
        if "apply" in content_type:
            query.append(("fieldManager", chance.choice(("a", "kubectl"))))
        headers = {"accept": chance.choice(ACCEPT), "content-type": content_type}
        if chance.random() < 0.99:
            headers["authorization"] = f"Bearer {TOKEN}"
        return Request(method, path, tuple(query), headers, self._body(content_type))

    def _path(self, method):
        chance = self._chance
        if chance.random() < 0.03:
            parts = ("api", "apis", "v1", "openapi", "v3", "..", "", "apps", "namespaces", "watch", "\x00")
            return "/" + "/".join(chance.choice(parts) for _ in range(chance.randrange(6)))
        kind = chance.choice(self._kinds)
        path = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
        if kind.namespaced and chance.random() < 0.95:
            path += "/namespaces/" + chance.choice(("default", "default", "default", "a"))
        path += f"/{kind.plural}"
        if chance.random() < (0.1 if method == "POST" else 0.85):
            path += "/" + chance.choice(NAMES)
            path += "/" + chance.choice(SUBRESOURCES) if chance.random() < 0.4 else ""
        return path

    def _content_type(self, method):
        chance = self._chance
        if chance.random() < 0.03:
            return chance.choice(("", "text/plain", "application/vnd.kubernetes.protobuf", "application/yaml", "json"))
        return "application/" + (chance.choice(PATCHES) if method == "PATCH" else "json")

    def _body(self, content_type):
        chance = self._chance
        kind = chance.random()
        if kind < 0.03:
            return chance.randbytes(30)
        if kind < 0.04:
            return b"k8s\x00\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12" + chance.randbytes(20)
        if kind < 0.045:
            return chance.choice((b"[" * 20000, b'{"a":' * 5000, b'{"metadata":' + b"9" * 9999 + b"}", b"&a [*a, *a]"))
        if content_type.endswith("json-patch+json"):
            return json.dumps([self._operation() for _ in range(2)]).encode()
        return json.dumps(self._item() if chance.random() < 0.9 else self._junk()).encode()

    def _operation(self):
        chance = self._chance
        paths = ("", "/spec", "/metadata/name", "/metadata/labels/a", "/spec/x/0", "/status", "/-", "/metadata", "x")
        operation = chance.choice(("add", "remove", "replace", "move", "copy", "test", "jump"))
        return {"op": operation, "path": chance.choice(paths), "from": chance.choice(paths), "value": self._junk()}

    def _item(self):
        chance = self._chance
        item = json.loads(json.dumps(chance.choice(OBJECTS)))
        item.setdefault("metadata", {})["name"] = chance.choice(NAMES[:4])
        for _ in range(chance.randrange(3)):
            self._spoil(item)
        return item

    def _spoil(self, item):
        """Put junk somewhere into an object."""
        chance, place, key = self._chance, None, None
        while isinstance(item, dict | list) and item and chance.random() < 0.8:
            place, key = item, chance.choice(list(item)) if isinstance(item, dict) else chance.randrange(len(item))
            item = place[key]
        if isinstance(place, dict) and chance.random() < 0.3:
            place[chance.choice(FIELDS)] = self._junk()
        elif place is not None:
            place[key] = self._junk()

    def _junk(self, depth=0):
        chance = self._chance
        kind = chance.random()
        if depth > 3 or kind < 0.5:
            return copy.deepcopy(chance.choice(SCALARS))
        if kind < 0.7:
            return [self._junk(depth + 1) for _ in range(chance.randrange(3))]
        return {chance.choice(FIELDS): self._junk(depth + 1) for _ in range(chance.randrange(4))}


class Ordeal:
    """Sends hostile requests to a server while a control client goes on with its work.

    A request is as slow as the processor time that it takes, and as the wait for its answer; who waits long asks again,
    since a busy machine doesn't hold up the same request each time.
    """

    def __init__(self, server, client, seed):
        self.server, self.client = server, client
        self.hostile = Hostile(server._registry, seed)
        self.faults = []
        self.slowest = (0.0, None)  # seconds, request
        self.answered = 0

    async def run(self, count):
        """Send ``count`` requests; faults and the slowest request are kept."""
        for _ in range(count):
            request = self.hostile.request()
            response, busy, waited = await self.ask(request)
            for _ in range(2):
                if waited > LONG_SECONDS:
                    waited = min(waited, (await self.ask(request))[2])
            self.slowest = max(self.slowest, (max(busy, waited), request), key=lambda entry: entry[0])
            self.answered += 1
            # 504 is what Kubernetes says of a resourceVersion from the future.
            if response.status >= 500 and b"Too large resource version" not in response.body:
                self.faults.append((response.status, request, response.body))
            if self.answered % 500 == 0:
                await self.control()

    async def ask(self, request):
        """Ask once; returns the response, the seconds of processor time, and the seconds until it was there."""
        began, busy = time.perf_counter(), time.thread_time()
        response = await self.server.handle(request)
        if response.stream is not None:
            await response.stream.aclose()
        return response, time.thread_time() - busy, time.perf_counter() - began

    async def control(self):
        """Do what an honest client does: create, read, list, delete."""
        from calico_lab.local.resources import CONFIG_MAPS

        name = f"control-{self.answered}"
        made = await self.client.create(
            CONFIG_MAPS, {"metadata": {"name": name, "namespace": "kube-public"}, "data": {"a": "b"}}
        )
        assert (await self.client.get(CONFIG_MAPS, name, "kube-public"))["data"] == {"a": "b"}
        await self.client.list(CONFIG_MAPS, "kube-public")
        await self.client.delete(CONFIG_MAPS, name, "kube-public")
        assert made["metadata"]["uid"]

    async def clean(self):
        """Delete what the requests have left, so that only what the server itself keeps is measured."""
        for kind in list(self.server._registry):
            if "delete" not in kind.verbs or kind.plural in ("namespaces", "customresourcedefinitions"):
                continue
            for stored in self.server._store.list(kind.storage_key):
                metadata = stored.item["metadata"]
                self.server._store.remove(kind.storage_key, metadata.get("namespace", ""), metadata["name"])


@contextmanager
def by_itself() -> Iterator[None]:
    """What the tests before have left is no longer looked through whenever memory is collected: that takes a second."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def memory() -> int:
    """The resident memory of this process in bytes, as proc(5) counts it."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
