"""What a learner reads when the cluster cannot be used: the cause and the next command, within the time limit."""

import base64
import socket
from datetime import timedelta

import pytest
import yaml
from support.certificates import pair
from support.https_server import https_server
from support.ports import free_port

import calico_lab
from calico_lab import api
from calico_lab.errors import Forbidden, NoClusterError, Unauthorized

pytestmark = pytest.mark.timeout(60)  # a connection that hangs must not be waited for

VERSION = {"gitVersion": "v1.33.0"}
REVIEW = {"status": {"userInfo": {"username": "me"}}}


def well(method, path):
    return (200, VERSION) if path == "/version" else (201, REVIEW)


def refusal(code, reason, message):
    return code, {"kind": "Status", "status": "Failure", "reason": reason, "message": message, "code": code}


@pytest.fixture
def connect(tmp_path):
    """Connect to a server with a kubeconfig of one context; further fields are of its user."""

    def connect(server, authority=None, **user):
        cluster = {"server": server}
        if authority is not None:
            cluster["certificate-authority-data"] = base64.b64encode(authority.certificate.encode()).decode()
        document = {
            "apiVersion": "v1", "kind": "Config", "current-context": "far",
            "contexts": [{"name": "far", "context": {"cluster": "far", "user": "me"}}],
            "clusters": [{"name": "far", "cluster": cluster}],
            "users": [{"name": "me", "user": user or {"token": "x"}}],
        }  # fmt: skip
        (tmp_path / "config").write_text(yaml.safe_dump(document))
        return calico_lab.connect(tmp_path / "config", context="far")

    return connect


def test_one_that_is_well_says_which_it_is_and_who_you_are(connect, tmp_path):
    server = pair("localhost")
    with https_server(tmp_path, server, well) as url:
        said = repr(connect(url, server))
    assert said.startswith(
        f"Connected to the cluster 'far': Kubernetes v1.33.0 at {url}\nas me, in the namespace default"
    )


def test_nothing_listens(connect):
    url = f"https://127.0.0.1:{free_port()}"
    with pytest.raises(NoClusterError, match="no API server answers at") as caught:
        connect(url)
    assert caught.value.remedy == "kubectl --context=far version"


def test_a_name_that_nobody_knows(connect):
    with pytest.raises(NoClusterError, match=r"no API server answers at https://nowhere\.invalid"):
        connect("https://nowhere.invalid:6443")


def test_a_connection_that_hangs(connect, monkeypatch):
    monkeypatch.setattr(api, "REQUEST_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(NoClusterError, match="no API server answers"):
        connect(f"https://127.0.0.1:{silent.getsockname()[1]}", pair("localhost"))


def test_a_server_certificate_that_has_expired(connect, tmp_path):
    server = pair("localhost", days=1, age=timedelta(days=9))
    with https_server(tmp_path, server, well) as url, pytest.raises(NoClusterError, match="has expired") as caught:
        connect(url, server)
    assert "renew" in caught.value.remedy


def test_a_server_that_another_authority_vouches_for(connect, tmp_path):
    with (
        https_server(tmp_path, pair("localhost"), well) as url,
        pytest.raises(NoClusterError, match="another cluster answers there now"),
    ):
        connect(url, pair("other"))


def test_a_server_with_a_certificate_for_another_name(connect, tmp_path):
    server = pair("elsewhere")
    with https_server(tmp_path, server, well) as url, pytest.raises(NoClusterError, match="for another address"):
        connect(url, server)


def test_credentials_that_have_expired(connect, tmp_path):
    server = pair("localhost")
    answer = refusal(401, "Unauthorized", "Unauthorized")
    with (
        https_server(tmp_path, server, lambda *_: answer) as url,
        pytest.raises(Unauthorized, match="have they expired") as caught,
    ):
        connect(url, server)
    assert caught.value.remedy == "kubectl --context=far auth whoami"


def test_what_this_user_may_not_do(connect, tmp_path):
    server = pair("localhost")
    said = 'pods is forbidden: User "me" cannot list resource "pods" in API group "" in the namespace "default"'

    def answer(method, path):
        groups = {
            "/api": {"kind": "APIVersions", "versions": ["v1"]},
            "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
        }
        pods = {"name": "pods", "singularName": "pod", "kind": "Pod", "namespaced": True, "verbs": ["list"]}
        resources = {"/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": [pods]}}
        found = (groups | resources).get(path)
        if found:
            return 200, found
        return refusal(403, "Forbidden", said) if "/pods" in path else well(method, path)

    with https_server(tmp_path, server, answer) as url:
        lab = connect(url, server)
        with pytest.raises(Forbidden, match="cannot list resource") as caught:
            lab.cluster.list("Pod")
    assert caught.value.remedy == "kubectl --context=far auth can-i --list --namespace=default"


def test_a_server_that_is_no_kubernetes(connect, tmp_path):
    server = pair("localhost")
    with (
        https_server(tmp_path, server, lambda *_: (200, {"hello": "world"})) as url,
        pytest.raises(NoClusterError, match="no Kubernetes API"),
    ):
        connect(url, server)


def test_a_program_for_credentials_that_fails(connect):
    program = {"apiVersion": "client.authentication.k8s.io/v1", "command": "false", "interactiveMode": "Never"}
    with pytest.raises(NoClusterError, match="gives no credentials for 'me'"):
        connect(f"https://127.0.0.1:{free_port()}", exec=program)


def test_a_certificate_that_cannot_be_read(connect):
    with pytest.raises(NoClusterError):
        connect(f"https://127.0.0.1:{free_port()}", **{"client-certificate-data": "eA==", "client-key-data": "eA=="})
