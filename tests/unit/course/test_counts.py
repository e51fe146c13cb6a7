from types import SimpleNamespace

import pytest

from calico_lab.errors import ReportError
from calico_lab.lessons import counts

LOOP = """backend-765694d47f-zk6x5: received 24 requests
backend-765694d47f-7plj9: received 26 requests
"""


class Cluster:
    """A cluster whose pods and nodes are given."""

    kubeconfig = SimpleNamespace(namespace="default")

    def __init__(self, pods, logs=(), processors="4"):
        self._pods, self._logs, self._processors = pods, dict(logs), processors

    def list(self, _kind, **_selectors):
        return self._pods

    def logs(self, pod):
        return self._logs[pod]

    def get(self, _kind, _name):
        return {"status": {"capacity": {"cpu": self._processors}}}


def envoy(*arguments, **metadata):
    containers = [{"name": "shutdown-manager"}, {"name": "envoy", "args": list(arguments)}]
    return {"metadata": metadata, "spec": {"containers": containers, "nodeName": "worker1"}}


def test_the_guide_s_loop_in_the_order_of_names():
    assert counts.parse_guide_loop(LOOP)["requests"].to_dict() == {"pod 1": 26, "pod 2": 24}


@pytest.mark.parametrize("text", ["", "No resources found in default namespace.\n", LOOP + "error: timed out\n"])
def test_anything_else_is_refused(text):
    with pytest.raises(ReportError):
        counts.parse_guide_loop(text)


def test_only_lines_about_requests_count():
    log = "Starting server, listening on port 3000 (http)\n" + 3 * "Echoing back request made to /round to client (x)\n"
    cluster = Cluster([{"metadata": {"name": "a"}}], {"a": log + "established websocket connection y\n"})
    assert counts.requests_per_pod(cluster)["requests"].tolist() == [3]


@pytest.mark.parametrize(
    ("pods", "rotors"),
    [
        ([envoy("--concurrency", "2", "--log-level", "warn")], 2),
        ([envoy("--concurrency=3")], 3),
        ([envoy("--cpuset-threads")], 4),  # one worker for each processor of the node
        ([envoy("--concurrency", "1"), envoy("--concurrency", "1")], 2),
        ([envoy("--concurrency", "1"), envoy("--concurrency", "1", deletionTimestamp="now")], 1),
    ],
)
def test_rotors_are_the_workers_of_all_envoys(pods, rotors):
    assert counts.rotors(Cluster(pods), "load-balancing-gateway") == rotors
