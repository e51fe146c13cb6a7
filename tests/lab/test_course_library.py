"""The course library against a running lab, which it reaches by kubeconfig and SSH alone."""

import re

import pytest
from support.labs import running_lab

import calico_lab
from calico_lab import errors
from calico_lab.lessons import waits

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {answer: '%s'}\n"
POD = """
apiVersion: v1
kind: Pod
metadata: {name: echo}
spec:
  containers:
  - name: echo
    image: gcr.io/k8s-staging-gateway-api/echo-basic:v20231214-v1.0.0-140-gf544a46e
"""


@pytest.fixture(scope="module")
def running():
    with running_lab("course-library") as running:
        yield running


@pytest.fixture(scope="module")
def lab(running):
    return calico_lab.connect(running.kubeconfig)


@pytest.fixture(scope="module")
def pod(lab):
    lab.cluster.apply(POD)
    return lab.cluster.wait("Pod", "echo", "Ready").object


@pytest.fixture
def not_announced(running, tmp_path, monkeypatch):
    """The same cluster, as one that does not announce itself as a lab."""
    text = re.sub(r"    extensions:\n.*?reset:[^\n]*\n", "", running.kubeconfig.read_text(), flags=re.DOTALL)
    (tmp_path / "config").write_text(text)
    monkeypatch.setenv("CALICO_LAB_SSH_CONFIG", str(running.ssh_config))
    return calico_lab.connect(tmp_path / "config")


def test_it_says_what_it_is_connected_to(lab, not_announced):
    assert repr(lab).startswith("Connected to a lab of your own: Kubernetes v1.")
    assert repr(not_announced).startswith("Connected to the cluster 'calico-lab': Kubernetes v1.")


def test_apply_speaks_as_kubectl_does(lab):
    assert repr(lab.cluster.apply(CONFIG_MAP % ("spoken", 1))) == "configmap/spoken created"
    assert lab.cluster.apply(CONFIG_MAP % ("spoken", 1)).lines == ("configmap/spoken unchanged",)
    assert lab.cluster.apply(CONFIG_MAP % ("spoken", 2)).lines == ("configmap/spoken configured",)


def test_apply_takes_several_documents(lab):
    both = CONFIG_MAP % ("one", 1) + "---\n" + CONFIG_MAP % ("two", 2)
    assert lab.cluster.apply(both).lines == ("configmap/one created", "configmap/two created")


def test_what_kubectl_refuses_is_told_in_its_words(lab):
    with pytest.raises(errors.CommandError, match=r'no matches for kind "Nonsense" in version "v1"') as caught:
        lab.cluster.apply("apiVersion: v1\nkind: Nonsense\nmetadata: {name: x}\n")
    assert caught.value.exit_code == 1


def test_objects_are_plain_dictionaries(lab):
    lab.cluster.apply(CONFIG_MAP % ("plain", 42))
    found = lab.cluster.get("ConfigMap", "plain")
    assert type(found["data"]) is dict
    assert found["data"] == {"answer": "42"}


def test_what_is_not_there(lab):
    with pytest.raises(errors.NotFound, match='configmaps "none" not found'):
        lab.cluster.get("ConfigMap", "none")
    with pytest.raises(errors.NotFound, match='resource type "Nonsense"'):
        lab.cluster.get("Nonsense", "none")


def test_lists_are_sorted_by_name_and_selected_by_label(lab, pod):
    assert [node["metadata"]["name"] for node in lab.cluster.list("Node")] == ["control1", "worker1", "worker2"]
    control = lab.cluster.list("Node", labels="node-role.kubernetes.io/control-plane")
    assert [node["metadata"]["name"] for node in control] == ["control1"]
    assert lab.cluster.list("Pod", fields="metadata.name=other") == []


def test_delete_waits_until_the_object_is_gone(lab):
    lab.cluster.apply(POD.replace("name: echo}", "name: short-lived}"))
    lab.cluster.wait("Pod", "short-lived", "Ready")
    lab.cluster.delete("Pod", "short-lived")
    assert not lab.cluster.exists("Pod", "short-lived")


def test_deleting_what_is_not_there(lab):
    lab.cluster.delete("ConfigMap", "none", missing_ok=True)
    with pytest.raises(errors.NotFound):
        lab.cluster.delete("ConfigMap", "none")


def test_waiting_for_a_predicate(lab, pod):
    awaited = lab.cluster.wait("Pod", "echo", lambda pod: pod["status"]["phase"] == "Running", description="it runs")
    assert repr(awaited) == "it runs"
    assert awaited.object["metadata"]["name"] == "echo"


def test_waiting_in_vain_says_for_what_what_was_seen_and_how_to_look_further(lab, pod):
    with pytest.raises(errors.WaitTimeout) as caught:
        lab.cluster.wait("Pod", "echo", "Polished", time_limit=0.3)
    assert "Pod echo is Polished" in caught.value.problem
    assert "Ready=True" in caught.value.problem
    assert caught.value.remedy == "kubectl describe pod echo"


def test_waiting_for_what_does_not_exist(lab):
    with pytest.raises(errors.WaitTimeout, match="it does not exist"):
        lab.cluster.wait("Pod", "none", "Ready", time_limit=0.3)


def test_logs(lab, pod):
    assert sorted(lab.cluster.logs("echo").splitlines()) == [
        "Starting server, listening on port 3000 (http)",
        "Starting server, listening on port 3001 (h2c)",
    ]
    assert re.match(r"\d{4}-\d\d-\d\dT\S+Z Starting server", lab.cluster.logs("echo", timestamps=True))


def test_logs_of_a_pod_that_is_not_there(lab):
    with pytest.raises(errors.NotFound, match='pods "none" not found'):
        lab.cluster.logs("none")


def test_events_about_one_object(lab, pod):
    events = lab.cluster.events("Pod", "echo")
    assert "Scheduled" in {event["reason"] for event in events}
    assert {event["involvedObject"]["name"] for event in events} == {"echo"}


def test_the_bastion_is_the_lab_s(lab):
    assert lab.bastion.run("hostname && kubectl get nodes --no-headers | wc -l").output.split() == ["bastion", "3"]


def test_no_gateway_no_answer(lab):
    lab.begin("hey")
    with pytest.raises(errors.WaitTimeout, match="the gateway answers the bastion"):
        waits.answers(lab.bastion, "10.10.10.63", time_limit=0.5)
