"""A pod's volumes: what their files hold, where they are kept, and where its containers see them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from calico_lab.errors import LabError
from calico_lab.local.kubelet import atomic_writer
from calico_lab.local.kubelet.atomic_writer import FileContent
from calico_lab.local.kubelet.environment import PodFacts, content_of, field_value
from calico_lab.local.wire import JsonObject

SERVICE_ACCOUNT_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
# Stands in a pod's volumes for what Kubernetes' admission adds: the account's token, the CA and the namespace.
SERVICE_ACCOUNT: JsonObject = {"name": "kube-api-access", "serviceAccount": {}}
DEFAULT_MODE = 0o644


class VolumeError(LabError):
    """A volume cannot be written, for now or for good."""


class Mount(NamedTuple):
    """Shows ``source``, on the node, at ``target`` in the pod."""

    source: Path
    target: Path
    read_only: bool


@dataclass(frozen=True)
class Credentials:
    """What a pod shows the API server, and trusts it by: a token for each audience ('' is the server's own)."""

    tokens: Mapping[str, str]
    certificate_authority: bytes


class PodVolumes:
    """The volumes of one pod, in a folder of the node; ``inside`` enters the node's mount namespace."""

    def __init__(
        self, pod: JsonObject, folder: Path, facts: PodFacts, inside: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._folder = folder
        self._facts = facts
        self._inside = inside
        self._pod = pod
        self._volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or []}
        if wants_service_account(pod):
            self._volumes[SERVICE_ACCOUNT["name"]] = SERVICE_ACCOUNT

    def audiences(self) -> set[str]:
        """Return the audiences for which the pod's volumes need tokens."""
        found = {""} if SERVICE_ACCOUNT["name"] in self._volumes else set()
        for volume in self._volumes.values():
            for source in (volume.get("projected") or {}).get("sources") or []:
                if "serviceAccountToken" in source:
                    found.add(source["serviceAccountToken"].get("audience") or "")
        return found

    def write(self, credentials: Credentials) -> None:
        """Write every volume whose content is not yet there as it should be. Raises :class:`VolumeError`."""
        contents = {}
        for name, volume in self._volumes.items():
            try:
                contents[name] = self._content(volume, credentials)
            except LabError as error:
                raise VolumeError(f'MountVolume.SetUp failed for volume "{name}" : {error}') from error
        with self._inside():
            for name, files in contents.items():
                folder = self._folder / name
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(0o755 if files is not None else 0o777)
                if files is not None:
                    atomic_writer.write(folder, files)

    def mounts(self) -> list[Mount]:
        """Return what the pod's containers see. Raises :class:`VolumeError` where two of them contradict each other."""
        found: dict[Path, Mount] = {}
        for mount in self._declared_mounts():
            if found.setdefault(mount.target, mount) != mount:
                raise VolumeError(
                    f"two containers mount different volumes at {mount.target}: in the local lab the containers of a"
                    " pod see the same files"
                )
        return [found[target] for target in sorted(found)]

    def remove(self) -> None:
        """Remove the files."""
        with self._inside():
            shutil.rmtree(self._folder, ignore_errors=True)

    def _declared_mounts(self) -> Iterator[Mount]:
        for container in containers_of(self._pod):
            for declared in container.get("volumeMounts") or []:
                yield self._mount(declared)
        if SERVICE_ACCOUNT["name"] in self._volumes:
            yield Mount(self._folder / SERVICE_ACCOUNT["name"], Path(SERVICE_ACCOUNT_FOLDER), read_only=True)

    def _mount(self, declared: JsonObject) -> Mount:
        volume = self._volumes.get(declared["name"])
        if volume is None:
            raise VolumeError(f'volume "{declared["name"]}" is not one of the pod\'s')
        target, below = Path(declared["mountPath"]), Path(declared.get("subPath") or "")
        if not target.is_absolute() or target == Path("/") or ".." in (*target.parts, *below.parts):
            raise VolumeError(f"a volume cannot be mounted at {target}")
        read_only = "emptyDir" not in volume or bool(declared.get("readOnly"))
        return Mount(self._folder / declared["name"] / below, target, read_only)

    def _content(self, volume: JsonObject, credentials: Credentials) -> dict[str, FileContent] | None:
        if "emptyDir" in volume:
            return None
        if "projected" in volume:
            sources = volume["projected"].get("sources") or []
            mode = volume["projected"].get("defaultMode", DEFAULT_MODE)
            contents = [_source_content(source, mode, self._facts, credentials) for source in sources]
        elif "secret" in volume:
            secret = volume["secret"]
            contents = [
                _source_content({"secret": secret | {"name": secret["secretName"]}}, None, self._facts, credentials)
            ]
        else:
            contents = [_source_content(volume, None, self._facts, credentials)]
        return {name: file for content in contents for name, file in content.items()}


def containers_of(pod: JsonObject) -> list[JsonObject]:
    """Return the specifications of a pod's containers, those that initialize it first."""
    return [*(pod["spec"].get("initContainers") or []), *pod["spec"]["containers"]]


def wants_service_account(pod: JsonObject) -> bool:
    """Whether a pod gets its account's token without having a volume for it."""
    spec = pod["spec"]
    mounts = [mount for container in containers_of(pod) for mount in container.get("volumeMounts") or []]
    there = any(mount["mountPath"].rstrip("/") == SERVICE_ACCOUNT_FOLDER for mount in mounts)
    return not there and spec.get("automountServiceAccountToken", True) is not False


def refers_to(pod: JsonObject, kind: str, name: str) -> bool:
    """Whether a volume of the pod shows the ConfigMap or Secret of this name."""
    key = {"ConfigMap": "configMap", "Secret": "secret"}[kind]
    for volume in pod["spec"].get("volumes") or []:
        for source in (volume, *((volume.get("projected") or {}).get("sources") or [])):
            found = source.get(key)
            if found and name in (found.get("name"), found.get("secretName")):
                return True
    return False


def _source_content(
    source: JsonObject, mode: int | None, facts: PodFacts, credentials: Credentials
) -> dict[str, FileContent]:
    kind, details = next((key, value) for key, value in source.items() if key != "name")
    mode = details.get("defaultMode", DEFAULT_MODE) if mode is None else mode
    if kind == "configMap":
        return _object_content(details, facts.config_map(details["name"]), "configmap", "config", mode)
    if kind == "secret":
        return _object_content(details, facts.secret(details["name"]), "secret", "secret", mode)
    if kind == "downwardAPI":
        return {
            item["path"]: FileContent(_field(item, facts).encode(), item.get("mode", mode))
            for item in details.get("items") or []
        }
    if kind == "serviceAccountToken":
        return {details["path"]: FileContent(credentials.tokens[details.get("audience") or ""].encode(), mode)}
    if kind == "serviceAccount":
        return {
            "token": FileContent(credentials.tokens[""].encode()),
            "ca.crt": FileContent(credentials.certificate_authority),
            "namespace": FileContent(facts.pod["metadata"]["namespace"].encode()),
        }
    raise VolumeError(f"the local lab does not implement volumes of the kind {kind}")


def _field(item: JsonObject, facts: PodFacts) -> str:
    if "fieldRef" not in item:
        raise VolumeError("the local lab implements fieldRef alone in downwardAPI volumes")
    return field_value(item["fieldRef"]["fieldPath"], facts)


def _object_content(
    details: JsonObject, item: JsonObject | None, word: str, key_word: str, mode: int
) -> dict[str, FileContent]:
    optional = details.get("optional", False)
    if item is None:
        if optional:
            return {}
        raise VolumeError(f'{word} "{details["name"]}" not found')
    content = content_of(item)
    if "items" not in details:
        return {key: FileContent(value, mode) for key, value in content.items()}
    chosen = details["items"]
    missing = [entry["key"] for entry in chosen if entry["key"] not in content]
    if missing and not optional:
        raise VolumeError(f"references non-existent {key_word} key: {missing[0]}")
    return {
        entry["path"]: FileContent(content[entry["key"]], entry.get("mode", mode))
        for entry in chosen
        if entry["key"] in content
    }
