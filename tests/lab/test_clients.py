"""The same everyday tasks, done by every client that people use: kubectl, the official one, kr8s, lightkube."""

from __future__ import annotations

import copy
import gc
from collections.abc import Iterator

import pytest
from support import clients
from support.clients import Refused
from support.eventually import wait_until
from support.labs import RunningLab, running_lab

pytestmark = [
    # kr8s says so of every server that is newer than itself.
    pytest.mark.filterwarnings("ignore:Kubernetes version .* is not supported"),
    # Most clients leave sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning"),
]
CLIENTS = ["Kubectl", "DebianKubectl", "Official", "Kr8s", "Lightkube"]
ECHO = "gcr.io/k8s-staging-gateway-api/echo-basic:v20231214-v1.0.0-140-gf544a46e"


def deployment(name: str) -> clients.Manifest:
    labels = {"app": name}
    spec = {"containers": [{"name": "echo", "image": ECHO}], "terminationGracePeriodSeconds": 1}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def config_map(name: str, **data: str) -> clients.Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    with running_lab("clients") as lab:
        yield lab
        gc.collect()  # what clients have left behind is not to disturb later tests


@pytest.fixture(scope="module", params=CLIENTS)
def client(lab, request):
    client = getattr(clients, request.param)(lab.kubeconfig)
    client.tag = request.param.lower()
    client.create(deployment(client.tag))
    client.wait_available(client.tag)
    yield client
    client.delete("Deployment", client.tag)
    wait_until(lambda: client.pods(f"app={client.tag}") == [])
    client.close()


def test_pods_by_label_and_their_logs(client):
    pods = client.pods(f"app={client.tag}")
    assert len(pods) == 2
    assert (
        sorted(line.split(" port ")[0] for line in client.logs(pods[0]).splitlines())
        == ["Starting server, listening on"] * 2
    )


def test_scale(client):
    client.scale(client.tag, 3)
    wait_until(lambda: client.get("Deployment", client.tag)["status"].get("readyReplicas") == 3)
    client.scale(client.tag, 2)
    wait_until(lambda: len(client.pods(f"app={client.tag}")) == 2)


def test_exec(client):
    if not client.executes:
        pytest.skip("it has no exec")
    pod = client.pods(f"app={client.tag}")[0]
    assert client.execute(pod, "hostname") == f"{pod}\n"


def test_annotate_and_replace(client):
    name = f"settings-{client.tag}"
    client.create(config_map(name, colour="blue"))
    client.annotate("ConfigMap", name, "by", client.tag)
    current = client.get("ConfigMap", name)
    assert current["metadata"]["annotations"]["by"] == client.tag
    stale = copy.deepcopy(current)
    client.replace(current | {"data": {"colour": "red"}})
    assert client.get("ConfigMap", name)["data"] == {"colour": "red"}
    with pytest.raises(Refused, match="the object has been modified"):
        client.replace(stale)
    client.delete("ConfigMap", name)


def test_what_exists_is_not_created_again(client):
    with pytest.raises(Refused, match="already exists"):
        client.create(deployment(client.tag))


def test_what_is_gone_is_not_found(client):
    with pytest.raises(Refused, match=r"(?i)not ?found"):
        client.get("Deployment", "nosuch")


def test_what_is_wrong_is_refused_with_its_reason(client):
    wrong = deployment("wrong")
    wrong["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    with pytest.raises(Refused, match="`selector` does not match template `labels`"):
        client.create(wrong)


def test_a_kind_of_calicos(client):
    name = f"pool-{client.tag}"
    spec = {"cidr": f"10.{200 + CLIENTS.index(type(client).__name__)}.0.0/24", "allowedUses": ["LoadBalancer"]}
    client.create({"apiVersion": "projectcalico.org/v3", "kind": "IPPool", "metadata": {"name": name}, "spec": spec})
    assert client.get("IPPool", name)["spec"]["nodeSelector"] == "all()"
    client.delete("IPPool", name)
    with pytest.raises(Refused):
        client.get("IPPool", name)


def test_watch(client, lab):
    def act() -> None:
        for verb in (("create",), ("delete",)):
            lab.kubectl(*verb, "configmap", f"watched-{client.tag}")

    name = f"watched-{client.tag}"
    assert client.watch_config_maps(2, act) == [("ADDED", name), ("DELETED", name)]
