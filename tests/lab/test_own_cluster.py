"""The course on a cluster of the learner's own: any kubeconfig, any bastion that SSH leads to, and nobody's leave.

The cluster is a lab that does not announce itself as one, reached with a client certificate; the bastion is behind
OpenSSH's own server.
"""

import base64
import os
import re
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import asyncssh
import nbformat
import pytest
import yaml
from nbclient import NotebookClient
from support.certificates import pair
from support.labs import running_lab
from support.openssh import sshd

import calico_lab
from calico_lab import errors, ssh
from calico_lab.bastion import Bastion
from calico_lab.lessons import counts, import_filter, steps

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
LOAD = 'hey -n 100 -c 100 -host "www.example.com" http://{}/round'
OTHER_AS = (
    "apiVersion: projectcalico.org/v3\nkind: BGPConfiguration\nmetadata: {name: default}\nspec: {asNumber: 65000}\n"
)


@pytest.fixture(scope="module")
def running():
    with running_lab("own-cluster") as running:
        yield running


@pytest.fixture(scope="module")
def server(running, tmp_path_factory):
    with sshd(tmp_path_factory.mktemp("sshd"), running) as server:
        yield server


@pytest.fixture(scope="module")
def kubeconfig(running, tmp_path_factory):
    """The cluster as somebody else would hand it out: no extension, a context of its own, a client certificate."""
    document = yaml.safe_load(running.kubeconfig.read_text())
    (cluster,) = document["clusters"]
    cluster["cluster"].pop("extensions")
    document["users"] = [user for user in document["users"] if "client-certificate-data" in user["user"]]
    user = document["users"][0]["name"]
    here = {"cluster": cluster["name"], "user": user}
    document["contexts"] = [{"name": "workshop", "context": here}, {"name": "other", "context": {"cluster": "none"}}]
    document["current-context"] = "other"
    path = tmp_path_factory.mktemp("kubeconfig") / "config"
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.fixture
def environment(kubeconfig, server, monkeypatch):
    """All that a learner sets."""
    variables = {
        "CALICO_LAB_KUBECONFIG": str(kubeconfig), "CALICO_LAB_CONTEXT": "workshop",
        "CALICO_LAB_BASTION": "jump-box", "CALICO_LAB_SSH_CONFIG": str(server.config),
    }  # fmt: skip
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@pytest.fixture
def lab(environment):
    return calico_lab.connect()


@pytest.fixture
def fresh(running, lab):
    """The same, with none of the guide's steps taken."""
    calico_lab.connect(running.kubeconfig, context="calico-lab").reset()
    return lab


def test_it_says_which_cluster_and_as_whom(lab):
    assert re.fullmatch(
        r"Connected to the cluster 'workshop': Kubernetes v\S+ at https://127\.0\.0\.1:\d+\n"
        r"as kubernetes-admin, in the namespace default; what others share there is changed only with your yes",
        repr(lab),
    )
    assert not lab.may_change_shared_things


def test_arguments_come_before_the_environment(environment, kubeconfig, monkeypatch):
    monkeypatch.setenv("CALICO_LAB_CONTEXT", "other")
    monkeypatch.setenv("CALICO_LAB_BASTION", "nowhere.invalid")
    lab = calico_lab.connect(kubeconfig, context="workshop", bastion="jump-box", namespace="mine")
    assert lab.bastion.run("hostname").output == "bastion\n"
    assert "in the namespace mine" in repr(lab)


def test_the_bastion_is_the_lab_s_whatever_the_way(lab):
    done = lab.bastion.run("cat; echo err >&2; exit 7", stdin="typed", check=False)
    assert (done.exit_code, done.output, done.errors) == (7, "typed", "err\n")


def test_what_is_missing_is_shown_and_not_made(fresh):
    with pytest.raises(errors.PrerequisiteError) as caught:
        fresh.begin("route")
    for said in ("+  cidr: 10.10.10.0/26", "+  peerIP: 10.0.1.10", "+                        if (net ~ 10.10.10.0/26)"):
        assert said in caught.value.problem
    assert "yes=True" in caught.value.remedy
    assert fresh.cluster.list("BGPPeer") == []
    assert "10.10.10" not in fresh.bastion.run("sudo cat /etc/bird/bird.conf").output


def test_with_a_yes_it_is_made_once(fresh):
    fresh.begin("gateway", yes=True)
    address = fresh.cluster.get("Gateway", steps.GATEWAY)["status"]["addresses"][0]["value"]
    assert fresh.bastion.run(f"ip route | grep -c '^{address} '").output == "1\n"
    before = fresh.bastion.run("sudo cat /etc/bird/bird.conf").output
    fresh.begin("gateway", yes=True)
    assert fresh.bastion.run("sudo cat /etc/bird/bird.conf").output == before
    assert before.count("10.10.10.0/26") == 1


def test_what_others_share_is_compared_and_left_as_it_is(fresh):
    fresh.begin("prerequisites", yes=True)
    with pytest.raises(errors.ConsentError) as caught:
        fresh.cluster.apply(OTHER_AS)
    assert "-  asNumber: 64512\n" in caught.value.problem
    assert fresh.cluster.get("BGPConfiguration", "default")["spec"]["asNumber"] == 64512
    with pytest.raises(errors.ConsentError, match="BGPPeer my-global-peer would be deleted"):
        fresh.cluster.delete("BGPPeer", "my-global-peer")
    assert fresh.cluster.exists("BGPPeer", "my-global-peer")


def test_the_import_filter_is_shown_edited_once_and_kept_a_copy_of(fresh):
    before = fresh.bastion.run("sudo cat /etc/bird/bird.conf").output
    with pytest.raises(errors.ConsentError, match=r"if \(net ~ 10\.10\.10\.0/26\) then accept;"):
        import_filter.accept(fresh)
    assert fresh.bastion.run("sudo cat /etc/bird/bird.conf").output == before
    assert "from now on" in repr(import_filter.accept(fresh, yes=True))
    assert "already" in repr(import_filter.accept(fresh))
    assert fresh.bastion.run(f"sudo cat {import_filter.BACKUP}").output == before


def test_what_bird_s_parser_does_not_take_is_never_put_in_place(fresh):
    before = fresh.bastion.run("sudo cat /etc/bird/bird.conf").output
    with pytest.raises(errors.CommandError, match="syntax error"):
        import_filter._write(fresh, before + "nonsense {\n")
    assert fresh.bastion.run("sudo cat /etc/bird/bird.conf").output == before
    assert fresh.bastion.run("sudo birdc show status").output.rstrip().endswith("Daemon is up and running")


def test_only_the_demo_comes_and_goes_in_the_learner_s_namespace(fresh, monkeypatch):
    fresh.begin("prerequisites", yes=True)
    fresh.cluster.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n", yes=True)
    monkeypatch.setenv("CALICO_LAB_NAMESPACE", "team")
    team = calico_lab.connect()
    team.cluster.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: somebody-s}\n")
    team.begin("route")
    address = team.cluster.get("Gateway", steps.GATEWAY)["status"]["addresses"][0]["value"]
    team.bastion.run(LOAD.format(address))
    assert list(counts.requests_per_pod(team.cluster)["requests"]) == [25, 25, 25, 25]
    assert not fresh.cluster.exists("Deployment", "backend")
    team.begin("prerequisites")
    assert not team.cluster.exists("Deployment", "backend")
    assert team.cluster.exists("ConfigMap", "somebody-s")


def test_it_is_never_emptied(lab):
    with pytest.raises(errors.LabError, match="not a lab of your own"):
        lab.reset()


# All up to 17 do; here those that ask for the most: of Envoy, of the nodes, of the bastion.
@pytest.mark.parametrize(
    "name",
    [
        "02-round-robin.ipynb",
        "03-clean-up.ipynb",
        "10-canary-and-blue-green.ipynb",
        "14-fail-over.ipynb",
        "16-tls.ipynb",
    ],
)
@pytest.mark.timeout(300)
def test_a_notebook_runs_as_in_a_lab(fresh, environment, tmp_path, name):
    fresh.begin("prerequisites", yes=True)
    document = nbformat.read(NOTEBOOKS / name, as_version=4)
    _expect(document, "Connected to a lab of your own", repr(fresh))
    nbformat.write(document, tmp_path / name)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-c", os.devnull, "--nbval", tmp_path / name]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("name", "errors"), [("06-when-things-break.ipynb", ["ConsentError"]), ("07-the-path-of-a-request.ipynb", [])]
)
@pytest.mark.timeout(300)
def test_a_notebook_leaves_alone_what_is_not_the_learner_s(fresh, name, errors):
    """A BGP session is not dropped without a yes, and where the nodes have no shell a cell says how to get one."""
    fresh.begin("prerequisites", yes=True)
    document = nbformat.read(NOTEBOOKS / name, as_version=4)
    NotebookClient(document, timeout=60, allow_errors=True).execute()
    outputs = [output for cell in document.cells for output in cell.get("outputs", ())]
    assert [output.ename for output in outputs if output.output_type == "error"] == errors
    assert any("not looked at: no shell on the nodes" in output.get("text", "") for output in outputs)


def _expect(document, beginning, text):
    """Put a text in the place of the outputs that begin so: what differs is whose cluster it is."""
    for output in (output for cell in document.cells for output in cell.get("outputs", ())):
        if output.get("data", {}).get("text/plain", "").startswith(beginning):
            output["data"]["text/plain"] = text


# --- What can be wrong ---


def connected(server, **changes):
    """A bastion by OpenSSH's server, after its configuration has been changed."""
    text = server.config.read_text()
    for old, new in changes.values():
        assert old in text
        text = text.replace(old, new)
    changed = server.folder / "changed"
    changed.write_text(text)
    return Bastion.find(None, {"CALICO_LAB_BASTION": "jump-box", "CALICO_LAB_SSH_CONFIG": str(changed)})


def test_a_host_key_that_has_changed(server, tmp_path):
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    (tmp_path / "known").write_text(f"[127.0.0.1]:{server.port} {other}")
    bastion = connected(server, known=(str(server.known_hosts), str(tmp_path / "known")))
    with pytest.raises(errors.NoBastionError) as caught:
        bastion.run("true")
    assert "key has changed" in caught.value.remedy


def test_a_host_that_is_not_known(server, tmp_path):
    bastion = connected(server, known=(str(server.known_hosts), str(tmp_path / "none")))
    with pytest.raises(errors.NoBastionError, match="not found in known_hosts"):
        bastion.run("true")


def test_a_key_that_is_not_taken(server, tmp_path):
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(tmp_path / "key")
    (tmp_path / "key").chmod(0o600)
    with pytest.raises(errors.NoBastionError) as caught:
        connected(server, key=(str(server.key), str(tmp_path / "key"))).run("true")
    assert "takes none of your keys" in caught.value.remedy


def test_a_server_that_says_nothing(server, monkeypatch):
    monkeypatch.setattr(ssh, "CONNECT_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(errors.NoBastionError, match="no way to the bastion"):
            connected(server, port=(f"Port {server.port}", f"Port {port}")).run("true")


def test_a_command_that_hangs(lab):
    with pytest.raises(errors.CommandError, match="still running"):
        lab.bastion.run("sleep 60", time_limit=2)
    assert lab.bastion.run("echo still here").output == "still here\n"


@pytest.mark.parametrize(
    ("age", "said"),
    [(timedelta(days=9), "has expired on"), (timedelta(0), "does not seem to take the client certificate")],
)
def test_a_client_certificate_that_does_not_count(lab, kubeconfig, tmp_path, age, said):
    document = yaml.safe_load(kubeconfig.read_text())
    other = pair("kubernetes-admin", age=age)
    credentials = document["users"][0]["user"]
    credentials["client-certificate-data"] = base64.b64encode(other.certificate.encode()).decode()
    credentials["client-key-data"] = base64.b64encode(other.key.encode()).decode()
    (tmp_path / "config").write_text(yaml.safe_dump(document))
    with pytest.raises(errors.NoClusterError, match=said) as caught:
        calico_lab.connect(tmp_path / "config", context="workshop")
    assert "fresh kubeconfig" in caught.value.remedy
