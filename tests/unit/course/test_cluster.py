import socket
import subprocess
import sys
from types import SimpleNamespace

import pytest

from calico_lab import errors
from calico_lab.api import _api_error
from calico_lab.lab import connect

CONFIG = """
current-context: here
contexts: [{name: here, context: {cluster: here, user: me}}]
clusters: [{name: here, cluster: {server: "https://127.0.0.1:%d"}}]
users: [{name: me, user: {token: t}}]
"""


@pytest.fixture
def nobody_there(tmp_path):
    """A kubeconfig for a port at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    path = tmp_path / "config"
    path.write_text(CONFIG % port)
    return path


def test_a_cluster_that_does_not_answer_is_noticed_by_connect(nobody_there):
    with pytest.raises(errors.NoClusterError, match="no API server answers") as caught:
        connect(nobody_there)
    assert caught.value.remedy


def test_importing_the_package_imports_nothing_heavy():
    program = (
        "import sys, calico_lab\n"
        "heavy = {'kubernetes', 'paramiko', 'pandas', 'matplotlib', 'scipy', 'asyncssh', 'yaml'}\n"
        "print(*heavy & set(sys.modules))"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == ""


@pytest.mark.parametrize(
    ("code", "body", "kind"),
    [
        (404, '{"reason": "NotFound", "message": "pods \\"x\\" not found"}', errors.NotFound),
        (409, '{"reason": "AlreadyExists", "message": "m"}', errors.AlreadyExists),
        (409, '{"reason": "Conflict", "message": "m"}', errors.Conflict),
        (401, "not JSON at all", errors.Unauthorized),
        (503, "", errors.ApiError),
    ],
)
def test_a_status_becomes_the_error_that_stands_for_it(code, body, kind):
    assert type(_api_error(SimpleNamespace(status=code, reason="Why", body=body))) is kind


def test_the_error_speaks_with_the_server_s_words():
    error = _api_error(SimpleNamespace(status=404, reason="Not Found", body='{"message": "pods \\"x\\" not found"}'))
    assert str(error) == 'pods "x" not found'
