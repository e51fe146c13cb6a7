from pathlib import Path

import pytest

from calico_lab.errors import LabError
from calico_lab.kubeconfig import Kubeconfig
from calico_lab.lab import Lab

CONFIG = "Host worker1\n  User worker1\n  HostName 127.0.0.1\n  Port 2222\n"


def lab(**announced: str) -> Lab:
    return Lab(Kubeconfig("none", "a-context", "https://127.0.0.1:1", "default", announced))


def test_a_cluster_that_announces_no_nodes_says_what_to_do_instead():
    with pytest.raises(LabError, match="'a-context' does not announce") as caught:
        lab().node("worker1")
    assert caught.value.remedy.startswith("kubectl debug node/worker1 ")


def test_a_node_that_is_not_there():
    with pytest.raises(LabError, match="no node 'worker9'") as caught:
        lab(nodes="control1 worker1").node("worker9")
    assert caught.value.remedy == "name one of control1, worker1"


def test_a_node_is_one_object_however_often_it_is_asked_for(tmp_path: Path):
    config = tmp_path / "ssh_config"
    config.write_text(CONFIG)
    its_lab = lab(nodes="worker1", ssh_config=str(config))
    node = its_lab.node("worker1")
    assert (node.name, its_lab.node("worker1")) == ("worker1", node)
