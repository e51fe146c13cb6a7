"""kubectl in a whole lab, where controllers act on what it writes: rollouts, garbage collection, namespaces, events."""

import re

import pytest
from support.labs import running_lab

ECHO = "gcr.io/k8s-staging-gateway-api/echo-basic:v20231214-v1.0.0-140-gf544a46e"
DOES_NOT_COME = "--timeout=20s"


@pytest.fixture(scope="module")
def lab():
    with running_lab("kubectl-lifecycle") as lab:
        yield lab


@pytest.fixture
def deployment(lab, request):
    """A deployment that is available, with a name of its own."""
    name = re.sub(r"[^a-z]+", "-", request.node.name.removeprefix("test_"))[:40].strip("-")
    lab.kubectl("create", "deployment", name, f"--image={ECHO}", "--replicas=2")
    lab.kubectl("rollout", "status", f"deployment/{name}", DOES_NOT_COME)
    yield name
    lab.kubectl("delete", "deployment", name, "--ignore-not-found", "--wait=false")


def names(lab, kind, deployment):
    return lab.kubectl("get", kind, "-l", f"app={deployment}", "-o", "name").split()


def test_rollout_history_and_undo(lab, deployment):
    target = f"deployment/{deployment}"
    lab.kubectl("set", "env", target, "COLOUR=blue")
    lab.kubectl("annotate", target, "kubernetes.io/change-cause=blue")
    lab.kubectl("rollout", "status", target, DOES_NOT_COME)
    history = lab.kubectl("rollout", "history", target).splitlines()
    assert [line.split() for line in history[2:4]] == [["1", "<none>"], ["2", "blue"]]
    assert "COLOUR:\tblue" in lab.kubectl("rollout", "history", target, "--revision=2")
    assert lab.kubectl("rollout", "undo", target) == f"deployment.apps/{deployment} rolled back\n"
    lab.kubectl("rollout", "status", target, DOES_NOT_COME)
    assert "COLOUR" not in lab.kubectl("describe", target)


def test_restart_replaces_every_pod(lab, deployment):
    before = names(lab, "pods", deployment)
    lab.kubectl("rollout", "restart", f"deployment/{deployment}")
    lab.kubectl("rollout", "status", f"deployment/{deployment}", DOES_NOT_COME)
    for pod in before:
        lab.kubectl("wait", "--for=delete", pod, DOES_NOT_COME)
    assert len(names(lab, "pods", deployment)) == 2


def test_what_belongs_to_a_deployment_goes_with_it(lab, deployment):
    pods = names(lab, "pods", deployment)
    assert len(pods) == 2
    lab.kubectl("delete", "deployment", deployment, "--cascade=foreground")
    assert names(lab, "replicasets,pods", deployment) == []


def test_orphans_stay(lab, deployment):
    lab.kubectl("delete", "deployment", deployment, "--cascade=orphan")
    left = names(lab, "replicasets,pods", deployment)
    assert len(left) == 3
    owner = lab.kubectl("get", left[0], "-o", "jsonpath={.metadata.ownerReferences}")
    assert owner == ""
    lab.kubectl("delete", "replicaset", "-l", f"app={deployment}")


def test_a_namespace_goes_with_all_that_is_in_it(lab):
    lab.kubectl("create", "namespace", "shop")
    lab.kubectl("create", "deployment", "web", f"--image={ECHO}", "-n", "shop")
    lab.kubectl("create", "configmap", "settings", "-n", "shop")
    assert lab.kubectl("delete", "namespace", "shop") == 'namespace "shop" deleted\n'
    assert lab.kubectl("get", "all,configmaps", "-n", "shop", "-o", "name") == ""
    with pytest.raises(AssertionError, match='namespaces "shop" not found'):
        lab.kubectl("create", "configmap", "late", "-n", "shop")


def test_a_finalizer_holds_an_object_until_it_is_taken_away(lab):
    lab.kubectl("create", "configmap", "held")
    lab.kubectl("patch", "configmap", "held", "-p", '{"metadata":{"finalizers":["lab.example/hold"]}}')
    lab.kubectl("delete", "configmap", "held", "--wait=false")
    assert lab.kubectl("get", "configmap", "held", "-o", "jsonpath={.metadata.deletionTimestamp}")
    lab.kubectl("patch", "configmap", "held", "-p", '{"metadata":{"finalizers":null}}')
    with pytest.raises(AssertionError, match='configmaps "held" not found'):
        lab.kubectl("get", "configmap", "held")


def test_events_tell_what_controllers_did(lab, deployment):
    events = lab.kubectl("events", "--for", f"deployment/{deployment}")
    assert re.search(r"ScalingReplicaSet\s+Deployment/\S+\s+Scaled up replica set \S+ from 0 to 2", events)
    described = lab.kubectl("describe", names(lab, "pods", deployment)[0])
    assert re.search(r"Normal\s+Scheduled\s+\S+\s+default-scheduler\s+Successfully assigned default/", described)


def test_who_manages_a_deployment(lab, deployment):
    managed = lab.get("deployment", deployment, "--show-managed-fields")["metadata"]["managedFields"]
    managers = {(each["manager"], each["operation"], each.get("subresource")) for each in managed}
    assert ("kubectl-create", "Update", None) in managers
    assert any(subresource == "status" for _, _, subresource in managers)
