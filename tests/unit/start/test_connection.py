import base64
from pathlib import Path

import paramiko
import yaml

from calico_lab.local.start import connection
from calico_lab.local.start.credentials import issue

CREDENTIALS = issue()
AWKWARD = Path('/home/an "odd" name/lab')


def test_kubeconfig_announces_the_lab_and_its_bastion():
    reset = f"env 'XDG_STATE_HOME={AWKWARD}' calico-lab reset"
    text = connection.kubeconfig(
        "https://127.0.0.1:1234", CREDENTIALS, lab="one", ssh_config=AWKWARD / "ssh_config", reset=reset
    )
    cluster = yaml.safe_load(text)["clusters"][0]["cluster"]
    assert cluster["server"] == "https://127.0.0.1:1234"
    assert base64.b64decode(cluster["certificate-authority-data"]).decode() == CREDENTIALS.certificate_authority
    announced = {"name": "one", "ssh_config": str(AWKWARD / "ssh_config"), "reset": reset}
    announced["nodes"] = "control1 worker1 worker2"
    assert cluster["extensions"] == [{"name": "calico-lab", "extension": announced}]


def test_kubeconfig_inside_the_lab_announces_nothing():
    read = yaml.safe_load(connection.kubeconfig("https://10.0.1.20:6443", CREDENTIALS))
    assert "extensions" not in read["clusters"][0]["cluster"]
    assert read["users"][0]["user"] == {"token": CREDENTIALS.token}


def test_ssh_config_leads_to_the_bastion():
    text = connection.ssh_config(2222, Path("/a folder/key"), Path("/a folder/known_hosts"))
    found = paramiko.SSHConfig.from_text(text).lookup("bastion")
    assert (found["hostname"], found["port"], found["stricthostkeychecking"]) == ("127.0.0.1", "2222", "yes")
    assert found["identityfile"] == ["/a folder/key"]


def test_ssh_config_leads_to_every_node_that_the_kubeconfig_announces():
    text = connection.kubeconfig("https://127.0.0.1:1", CREDENTIALS, lab="one", ssh_config=Path("/ssh_config"))
    cluster = yaml.safe_load(text)["clusters"][0]["cluster"]
    nodes = cluster["extensions"][0]["extension"]["nodes"].split()
    config = paramiko.SSHConfig.from_text(connection.ssh_config(2222, Path("/key"), Path("/known_hosts")))
    assert {node: config.lookup(node)["user"] for node in nodes} == {node: node for node in nodes} != {}


def test_known_hosts_vouches_for_the_host_key(tmp_path: Path):
    path = tmp_path / "known_hosts"
    path.write_text(connection.known_hosts(2222, CREDENTIALS))
    keys = paramiko.HostKeys(str(path)).lookup("[127.0.0.1]:2222")
    assert keys is not None
    assert keys["ssh-ed25519"].get_base64() == CREDENTIALS.ssh_host_public_key.split()[1]
