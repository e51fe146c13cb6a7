from contextlib import nullcontext
from pathlib import Path

import pytest

from calico_lab.local.kubelet.environment import PodFacts
from calico_lab.local.kubelet.volumes import SERVICE_ACCOUNT_FOLDER, Credentials, PodVolumes, VolumeError, refers_to

CREDENTIALS = Credentials({"": "token", "vault": "for vault"}, b"CA")
SETTINGS = {"kind": "ConfigMap", "data": {"a": "1", "b": "2"}}


def pod(*volumes, mounts=(), more=(), **spec):
    containers = [{"name": "c", "volumeMounts": list(mounts)}, *({"name": "d", "volumeMounts": [one]} for one in more)]
    spec = {"containers": containers, "volumes": list(volumes), "automountServiceAccountToken": False} | spec
    return {"metadata": {"name": "p", "namespace": "default", "uid": "u"}, "spec": spec}


@pytest.fixture
def objects():
    return {"settings": SETTINGS, "keys": {"kind": "Secret", "data": {"k": "eA=="}}}


@pytest.fixture
def volumes(tmp_path, objects):
    def make(pod):
        facts = PodFacts(pod, "10.48.1.0", "10.0.1.31", objects.get, objects.get)
        return PodVolumes(pod, tmp_path, facts, nullcontext)

    return make


def test_config_map(volumes, tmp_path):
    volumes(pod({"name": "v", "configMap": {"name": "settings"}})).write(CREDENTIALS)
    assert (tmp_path / "v/a").read_text() == "1"
    assert (tmp_path / "v/..data").is_symlink()


def test_config_map_that_changed(volumes, tmp_path, objects):
    written = volumes(pod({"name": "v", "configMap": {"name": "settings"}}))
    written.write(CREDENTIALS)
    objects["settings"] = {"kind": "ConfigMap", "data": {"a": "3"}}
    written.write(CREDENTIALS)
    assert (tmp_path / "v/a").read_text() == "3"
    assert not (tmp_path / "v/b").exists()


def test_chosen_keys_under_other_names(volumes, tmp_path):
    items = [{"key": "a", "path": "x/y", "mode": 0o400}]
    volumes(pod({"name": "v", "configMap": {"name": "settings", "items": items}})).write(CREDENTIALS)
    assert (tmp_path / "v/x/y").read_text() == "1"
    assert (tmp_path / "v/x/y").stat().st_mode & 0o777 == 0o400


def test_secret(volumes, tmp_path):
    volumes(pod({"name": "v", "secret": {"secretName": "keys", "defaultMode": 0o600}})).write(CREDENTIALS)
    assert (tmp_path / "v/k").read_text() == "x"
    assert (tmp_path / "v/k").stat().st_mode & 0o777 == 0o600


def test_empty_folder_keeps_what_is_written_there(volumes, tmp_path):
    written = volumes(pod({"name": "v", "emptyDir": {}}))
    written.write(CREDENTIALS)
    (tmp_path / "v/mine").write_text("1")
    written.write(CREDENTIALS)
    assert (tmp_path / "v/mine").read_text() == "1"


def test_projected(volumes, tmp_path):
    sources = [
        {"serviceAccountToken": {"path": "token", "audience": "vault"}},
        {"configMap": {"name": "settings", "items": [{"key": "a", "path": "a"}]}},
        {"downwardAPI": {"items": [{"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]}},
    ]
    written = volumes(pod({"name": "v", "projected": {"sources": sources}}))
    written.write(CREDENTIALS)
    assert written.audiences() == {"vault"}
    found = {path.name: path.read_text() for path in (tmp_path / "v").iterdir() if path.is_file()}
    assert found == {"token": "for vault", "a": "1", "name": "p"}


def test_service_account_is_there_unless_it_is_not_wanted(volumes, tmp_path):
    written = volumes(pod(automountServiceAccountToken=True))
    written.write(CREDENTIALS)
    [mount] = written.mounts()
    assert str(mount.target) == SERVICE_ACCOUNT_FOLDER
    assert {path.name for path in mount.source.iterdir() if path.is_file()} == {"token", "ca.crt", "namespace"}
    assert volumes(pod()).mounts() == []


@pytest.mark.parametrize(
    ("volume", "words"),
    [
        ({"configMap": {"name": "none"}}, 'failed for volume "v" : configmap "none" not found'),
        ({"secret": {"secretName": "none"}}, 'secret "none" not found'),
        ({"configMap": {"name": "settings", "items": [{"key": "z", "path": "z"}]}}, "non-existent config key: z"),
        ({"hostPath": {"path": "/"}}, "does not implement volumes of the kind hostPath"),
    ],
)
def test_what_cannot_be_written_is_said(volumes, volume, words):
    with pytest.raises(VolumeError, match=words):
        volumes(pod({"name": "v"} | volume)).write(CREDENTIALS)


def test_optional_config_map_may_be_missing(volumes, tmp_path):
    volumes(pod({"name": "v", "configMap": {"name": "none", "optional": True}})).write(CREDENTIALS)
    assert (tmp_path / "v").is_dir()


def test_mounts(volumes, tmp_path):
    mounts = [{"name": "v", "mountPath": "/etc/envoy/xds"}, {"name": "e", "mountPath": "/scratch", "subPath": "a"}]
    found = volumes(pod({"name": "v", "configMap": {"name": "settings"}}, {"name": "e", "emptyDir": {}}, mounts=mounts))
    assert found.mounts() == [
        (tmp_path / "v", Path("/etc/envoy/xds"), True),
        (tmp_path / "e/a", Path("/scratch"), False),
    ]


@pytest.mark.parametrize("path", ["/", "relative", "/a/../../etc"])
def test_odd_mount_paths_are_refused(volumes, path):
    with pytest.raises(VolumeError):
        volumes(pod({"name": "e", "emptyDir": {}}, mounts=[{"name": "e", "mountPath": path}])).mounts()


def test_containers_that_contradict_each_other_are_refused(volumes):
    first, second = {"name": "e", "mountPath": "/x"}, {"name": "f", "mountPath": "/x"}
    with pytest.raises(VolumeError, match="two containers"):
        volumes(
            pod({"name": "e", "emptyDir": {}}, {"name": "f", "emptyDir": {}}, mounts=[first], more=[second])
        ).mounts()


def test_which_objects_a_pod_shows():
    shown = pod({"name": "v", "projected": {"sources": [{"secret": {"name": "keys"}}]}})
    assert refers_to(shown, "Secret", "keys")
    assert not refers_to(shown, "ConfigMap", "keys")
