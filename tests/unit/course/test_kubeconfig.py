import os

import pytest

from calico_lab import kubeconfig
from calico_lab.errors import NoClusterError

TEXT = """
apiVersion: v1
kind: Config
current-context: here
contexts:
- {name: here, context: {cluster: one, user: me}}
- {name: there, context: {cluster: two, user: me, namespace: mine}}
clusters:
- {name: one, cluster: {server: "https://one:6443"}}
- name: two
  cluster:
    server: https://two:6443
    extensions:
    - {name: calico-lab, extension: {name: default, ssh_config: /state/ssh_config}}
"""


@pytest.fixture
def home(tmp_path):
    """An empty home, and a function that puts a kubeconfig somewhere in it."""

    def write(path, text=TEXT):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    write.environment = {"HOME": str(tmp_path)}
    return write


def test_an_argument_comes_first(home):
    home.environment["KUBECONFIG"] = str(home("set"))
    assert kubeconfig.find(home("given"), home.environment).files.endswith("given")


def test_kubeconfig_comes_before_the_local_lab(home):
    home(".local/state/calico-lab/default/kubeconfig")
    home.environment["KUBECONFIG"] = str(home("set"))
    assert kubeconfig.find(None, home.environment).files.endswith("set")


def test_the_local_lab_comes_before_one_s_own_cluster(home):
    lab = home(".local/state/calico-lab/default/kubeconfig")
    home(".kube/config")
    assert kubeconfig.find(None, home.environment).files == str(lab)


def test_one_s_own_cluster_comes_last(home):
    own = home(".kube/config")
    assert kubeconfig.find(None, home.environment).files == str(own)


def test_the_state_folder_is_where_xdg_says(home):
    lab = home("state/calico-lab/default/kubeconfig")
    environment = home.environment | {"XDG_STATE_HOME": str(lab.parents[2])}
    assert kubeconfig.find(None, environment).files == str(lab)


def test_a_kubeconfig_that_was_named_is_never_replaced(home):
    home(".kube/config")
    with pytest.raises(NoClusterError, match="does not exist"):
        kubeconfig.find(None, home.environment | {"KUBECONFIG": "/nowhere"})


def test_no_cluster_at_all_says_how_to_get_one(home):
    with pytest.raises(NoClusterError) as caught:
        kubeconfig.find(None, home.environment)
    assert caught.value.remedy == "calico-lab up"


def test_a_cluster_that_announces_nothing(home):
    found = kubeconfig.read(str(home("config")))
    assert (found.name, found.server, found.namespace, found.lab) == ("here", "https://one:6443", "default", {})


def test_a_lab_announces_its_bastion(home):
    found = kubeconfig.read(str(home("config", TEXT.replace("current-context: here", "current-context: there"))))
    assert (found.name, found.namespace) == ("default", "mine")
    assert found.lab["ssh_config"] == "/state/ssh_config"


def test_of_several_files_the_first_counts(home):
    first = home("first", "current-context: there\n")
    found = kubeconfig.read(f"{first}{os.pathsep}{home('second')}")
    assert (found.context, found.server) == ("there", "https://two:6443")


def test_a_kubeconfig_without_a_current_cluster(home):
    with pytest.raises(NoClusterError, match="no current cluster"):
        kubeconfig.read(str(home("config", TEXT.replace("current-context: here", ""))))
