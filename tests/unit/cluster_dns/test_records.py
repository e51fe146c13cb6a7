"""The names of a cluster: Services, headless Services, their pods and ports."""

import pytest

from calico_lab.local.cluster_dns.records import Cluster, Records, Target, find, in_zone

PORTS = [{"name": "http", "port": 80, "protocol": "TCP"}]
SERVICES = {
    ("default", "web"): {"spec": {"clusterIP": "10.49.1.1", "ports": PORTS}},
    ("default", "peers"): {"spec": {"clusterIP": "None", "ports": PORTS}},
    ("default", "idle"): {"spec": {"clusterIP": "None"}},
}
SLICES = {
    ("default", "peers"): [
        {
            "ports": [{"name": "http", "port": 3000, "protocol": "TCP"}],
            "endpoints": [
                {"addresses": ["10.48.1.1"], "conditions": {"ready": True}, "hostname": "one"},
                {"addresses": ["10.48.2.1"], "conditions": {"ready": True}},
                {"addresses": ["10.48.2.2"], "conditions": {"ready": False}},
            ],
        }
    ]
}
CLUSTER = Cluster(
    namespaces=lambda: ["default"],
    service=lambda namespace, name: SERVICES.get((namespace, name)),
    slices=lambda namespace, name: SLICES.get((namespace, name), []),
)


def records(name):
    return find((*name.split("."), "cluster", "local") if name else ("cluster", "local"), CLUSTER)


@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        ("web.default.svc", ("10.49.1.1",)),
        ("peers.default.svc", ("10.48.1.1", "10.48.2.1")),
        ("one.peers.default.svc", ("10.48.1.1",)),
        ("10-48-2-1.peers.default.svc", ("10.48.2.1",)),
    ],
)
def test_addresses(name, addresses):
    assert records(name) == Records(addresses)


@pytest.mark.parametrize("name", ["", "svc", "default.svc"])
def test_names_above_services_are_there_and_have_nothing(name):
    assert records(name) == Records()


@pytest.mark.parametrize(
    "name",
    [
        "web",
        "other.svc",
        "gone.default.svc",
        "idle.default.svc",
        "one.web.default.svc",
        "two.peers.default.svc",
        "10-48-2-2.peers.default.svc",
        "_https._tcp.web.default.svc",
        "_http._udp.web.default.svc",
        "a.one.peers.default.svc",
    ],
)
def test_other_names_are_not_there(name):
    assert records(name) is None


def test_ports_of_a_service():
    assert records("_http._tcp.web.default.svc").targets == (Target(80, "web.default.svc.cluster.local"),)


def test_ports_of_the_pods_of_a_headless_service():
    assert records("_http._tcp.peers.default.svc").targets == (
        Target(3000, "one.peers.default.svc.cluster.local"),
        Target(3000, "10-48-2-1.peers.default.svc.cluster.local"),
    )


@pytest.mark.parametrize(
    ("name", "inside"), [("a.cluster.local", True), ("cluster.local", True), ("local", False), ("example.com", False)]
)
def test_zone(name, inside):
    assert in_zone(tuple(name.split("."))) is inside
