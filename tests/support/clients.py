"""Kubernetes clients of all sorts, each taught the same few everyday tasks."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from support import debian_packages
from support.labs import KUBECTL

Manifest = dict[str, Any]
NAMESPACE = "default"


class Refused(Exception):
    """The API server has refused a request; the message holds its reason."""


class Client:
    """What all have in common."""

    def close(self) -> None:
        """Let go of connections."""


class Kubectl(Client):
    """A kubectl program."""

    executes = True

    def __init__(self, kubeconfig: Path, program: str = KUBECTL) -> None:
        self._program = program
        self._environment = {**os.environ, "KUBECONFIG": str(kubeconfig)}

    def run(self, *arguments: str, stdin: str = "") -> str:
        command = [self._program, *arguments]
        done = subprocess.run(command, env=self._environment, input=stdin, capture_output=True, text=True, timeout=30)
        if done.returncode:
            raise Refused(done.stdout + done.stderr)
        return done.stdout

    def create(self, manifest: Manifest) -> None:
        self.run("create", "-f", "-", stdin=yaml.safe_dump(manifest))

    def replace(self, manifest: Manifest) -> None:
        self.run("replace", "-f", "-", stdin=yaml.safe_dump(manifest))

    def get(self, kind: str, name: str) -> Manifest:
        return json.loads(self.run("get", kind, name, "-o", "json"))

    def annotate(self, kind: str, name: str, key: str, value: str) -> None:
        self.run("annotate", kind, name, f"{key}={value}")

    def delete(self, kind: str, name: str) -> None:
        self.run("delete", kind, name)

    def wait_available(self, name: str) -> None:
        self.run("rollout", "status", f"deployment/{name}", "--timeout=20s")

    def scale(self, name: str, replicas: int) -> None:
        self.run("scale", f"deployment/{name}", f"--replicas={replicas}")

    def pods(self, selector: str) -> list[str]:
        return self.run("get", "pods", "-l", selector, "-o", "jsonpath={.items[*].metadata.name}").split()

    def logs(self, pod: str) -> str:
        return self.run("logs", pod)

    def execute(self, pod: str, *command: str) -> str:
        return self.run("exec", pod, "--", *command)

    def watch_config_maps(self, count: int, act: Callable[[], None]) -> list[tuple[str, str]]:
        command = [self._program, "get", "configmaps", "--watch-only", "--output-watch-events", "-o", "json"]
        with subprocess.Popen(command, env=self._environment, stdout=subprocess.PIPE, text=True) as watching:
            try:
                threading.Timer(0.5, act).start()
                events, text = [], ""
                while len(events) < count:
                    text += watching.stdout.readline()
                    with suppress(json.JSONDecodeError):
                        event = json.loads(text)
                        events.append((event["type"], event["object"]["metadata"]["name"]))
                        text = ""
            finally:
                watching.terminate()
        return events


class DebianKubectl(Kubectl):
    """Debian's own kubectl, which knows exec over SPDY alone."""

    executes = False

    def __init__(self, kubeconfig: Path) -> None:
        super().__init__(kubeconfig, str(debian_packages.kubectl()))


class Official(Client):
    """The official client for Python."""

    executes = True

    def __init__(self, kubeconfig: Path) -> None:
        import kubernetes
        from kubernetes.dynamic import DynamicClient

        self._library = kubernetes
        client = self._client = kubernetes.config.new_client_from_config(str(kubeconfig))
        self._core = kubernetes.client.CoreV1Api(client)
        self._apps = kubernetes.client.AppsV1Api(client)
        self._dynamic = DynamicClient(client)

    def close(self) -> None:
        # Its own close() leaves the connections to the garbage collector.
        self._client.rest_client.pool_manager.clear()

    def _resource(self, kind: str) -> Any:
        return next(found for found in self._dynamic.resources.search(kind=kind) if hasattr(found, "get"))

    def _refusing(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        try:
            return call(*arguments, **options)
        except self._library.client.ApiException as error:
            raise Refused(error.reason + str(error.body)) from error

    def create(self, manifest: Manifest) -> None:
        self._refusing(self._resource(manifest["kind"]).create, manifest, namespace=NAMESPACE)

    def replace(self, manifest: Manifest) -> None:
        self._refusing(self._resource(manifest["kind"]).replace, manifest, namespace=NAMESPACE)

    def get(self, kind: str, name: str) -> Manifest:
        return self._refusing(self._resource(kind).get, name, NAMESPACE).to_dict()

    def annotate(self, kind: str, name: str, key: str, value: str) -> None:
        body = {"metadata": {"name": name, "annotations": {key: value}}}
        self._resource(kind).patch(body, namespace=NAMESPACE, content_type="application/merge-patch+json")

    def delete(self, kind: str, name: str) -> None:
        self._resource(kind).delete(name, NAMESPACE)

    def wait_available(self, name: str) -> None:
        watch = self._library.watch.Watch()
        with closing(watch.stream(self._apps.list_namespaced_deployment, NAMESPACE, timeout_seconds=20)) as events:
            for event in events:
                item = event["object"]
                available = item.status.available_replicas if item.status else None
                if item.metadata.name == name and available == item.spec.replicas:
                    return
        raise AssertionError(f"{name} did not become available")

    def scale(self, name: str, replicas: int) -> None:
        self._apps.patch_namespaced_deployment_scale(name, NAMESPACE, {"spec": {"replicas": replicas}})

    def pods(self, selector: str) -> list[str]:
        return [pod.metadata.name for pod in self._core.list_namespaced_pod(NAMESPACE, label_selector=selector).items]

    def logs(self, pod: str) -> str:
        return self._core.read_namespaced_pod_log(pod, NAMESPACE)

    def execute(self, pod: str, *command: str) -> str:
        from kubernetes.stream import stream

        connect = self._core.connect_get_namespaced_pod_exec
        streams = {"stdout": True, "stderr": True, "stdin": False, "tty": False}
        with closing(stream(connect, pod, NAMESPACE, command=list(command), **streams, _preload_content=False)) as talk:
            talk.run_forever(timeout=10)
            return talk.read_all()

    def watch_config_maps(self, count: int, act: Callable[[], None]) -> list[tuple[str, str]]:
        listing = self._core.list_namespaced_config_map
        version = listing(NAMESPACE).metadata.resource_version
        act()
        watch = self._library.watch.Watch()
        with closing(watch.stream(listing, NAMESPACE, resource_version=version, timeout_seconds=10)) as events:
            return [(event["type"], event["object"].metadata.name) for event in islice(events, count)]


class Kr8s(Client):
    """kr8s, by its synchronous interface."""

    executes = True

    def __init__(self, kubeconfig: Path) -> None:
        import kr8s

        self._library = kr8s
        self._api = kr8s.api(kubeconfig=str(kubeconfig), namespace=NAMESPACE)

    def _object(self, manifest: Manifest) -> Any:
        from kr8s.objects import new_class, object_from_spec

        if manifest["kind"] == "IPPool":
            return new_class("IPPool", manifest["apiVersion"], namespaced=False)(manifest, api=self._api)
        return object_from_spec(manifest, api=self._api)

    def _refusing(self, call: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return call(*arguments)
        except self._library.ServerError as error:
            raise Refused(f"{error.status} {error}") from error
        except self._library.NotFoundError as error:
            raise Refused(f"NotFound {error}") from error

    def _find(self, kind: str, name: str) -> Any:
        found = list(self._api.get(kind, name))
        if not found:
            raise Refused(f"NotFound {kind} {name}")
        return found[0]

    def create(self, manifest: Manifest) -> None:
        self._refusing(self._object(manifest).create)

    def replace(self, manifest: Manifest) -> None:
        # It has no replace; a patch that names the version it was made from is refused alike.
        self._refusing(self._find(manifest["kind"], manifest["metadata"]["name"]).patch, manifest)

    def get(self, kind: str, name: str) -> Manifest:
        return self._refusing(self._find, kind, name).raw.to_dict()

    def annotate(self, kind: str, name: str, key: str, value: str) -> None:
        self._find(kind, name).annotate({key: value})

    def delete(self, kind: str, name: str) -> None:
        found = self._find(kind, name)
        found.delete()
        found.wait("delete", timeout=20)

    def wait_available(self, name: str) -> None:
        self._find("deployment", name).wait("condition=Available", timeout=20)

    def scale(self, name: str, replicas: int) -> None:
        self._find("deployment", name).scale(replicas)

    def pods(self, selector: str) -> list[str]:
        return [pod.name for pod in self._api.get("pods", label_selector=selector)]

    def logs(self, pod: str) -> str:
        return "".join(f"{line}\n" for line in self._find("pod", pod).logs())

    def execute(self, pod: str, *command: str) -> str:
        return self._find("pod", pod).exec(list(command)).stdout.decode()

    def watch_config_maps(self, count: int, act: Callable[[], None]) -> list[tuple[str, str]]:
        threading.Timer(0.5, act).start()
        events = ((kind, item.name) for kind, item in self._api.watch("configmaps"))
        return list(islice((event for event in events if event[1].startswith("watched")), count))


class Lightkube(Client):
    """lightkube."""

    executes = False

    def __init__(self, kubeconfig: Path) -> None:
        import lightkube
        from lightkube import generic_resource
        from lightkube.resources.apps_v1 import Deployment
        from lightkube.resources.core_v1 import ConfigMap, Pod

        self._library = lightkube
        self._client = lightkube.Client(config=lightkube.KubeConfig.from_file(kubeconfig), namespace=NAMESPACE)
        self._pod, self._config_map = Pod, ConfigMap
        pools = generic_resource.create_global_resource("projectcalico.org", "v3", "IPPool", "ippools")
        self._kinds = {"Deployment": Deployment, "ConfigMap": ConfigMap, "Pod": Pod, "IPPool": pools}

    def close(self) -> None:
        self._client.close()

    def _refusing(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        try:
            return call(*arguments, **options)
        except self._library.ApiError as error:
            raise Refused(f"{error.status.reason} {error}") from error

    def _object(self, manifest: Manifest) -> Any:
        return self._kinds[manifest["kind"]].from_dict(manifest)

    def create(self, manifest: Manifest) -> None:
        self._refusing(self._client.create, self._object(manifest))

    def replace(self, manifest: Manifest) -> None:
        self._refusing(self._client.replace, self._object(manifest))

    def get(self, kind: str, name: str) -> Manifest:
        return self._refusing(self._client.get, self._kinds[kind], name).to_dict()

    def annotate(self, kind: str, name: str, key: str, value: str) -> None:
        self._client.patch(self._kinds[kind], name, {"metadata": {"annotations": {key: value}}})

    def delete(self, kind: str, name: str) -> None:
        self._client.delete(self._kinds[kind], name)

    def wait_available(self, name: str) -> None:
        self._client.wait(self._kinds["Deployment"], name, for_conditions=["Available"])

    def scale(self, name: str, replicas: int) -> None:
        scale = self._kinds["Deployment"].Scale
        self._client.patch(scale, name, {"spec": {"replicas": replicas}})

    def pods(self, selector: str) -> list[str]:
        key, _, value = selector.partition("=")
        return [pod.metadata.name for pod in self._client.list(self._pod, labels={key: value})]

    def logs(self, pod: str) -> str:
        return "".join(self._client.log(pod))

    def execute(self, pod: str, *command: str) -> str:
        raise NotImplementedError("lightkube has no exec")

    def watch_config_maps(self, count: int, act: Callable[[], None]) -> list[tuple[str, str]]:
        threading.Timer(0.5, act).start()
        events = ((kind, item.metadata.name) for kind, item in self._client.watch(self._config_map))
        return list(islice((event for event in events if event[1].startswith("watched")), count))
