from ipaddress import IPv4Address, IPv4Network

import pytest

from calico_lab.local.network.bird_configuration import Neighbour
from calico_lab.local.network.service_ports import ServicePort
from calico_lab.local.network.speaker import EXCLUDED_LABEL, speaker_for
from calico_lab.local.topology import BASTION, NODES, WORKER1

RANGE = IPv4Network("10.10.10.0/26")
GUIDE = {"serviceLoadBalancerIPs": [{"cidr": "10.10.10.0/26"}]}


def node(host, **labels):
    addresses = [{"type": "Hostname", "address": host.name}, {"type": "InternalIP", "address": str(host.address)}]
    return {"metadata": {"name": host.name, "labels": labels}, "status": {"addresses": addresses}}


def peer(name="my-global-peer", **spec):
    return {"metadata": {"name": name}, "spec": {"peerIP": "10.0.1.10", "asNumber": 64512} | spec}


def speaker(*, spec=None, peers=(), ports=(), nodes=None):
    configuration = None if spec is None else {"metadata": {"name": "default"}, "spec": spec}
    known = list(map(node, NODES)) if nodes is None else nodes
    return speaker_for(WORKER1, known, configuration, peers, ports)


def envoy(**fields):
    defaults = {"namespace": "tigera-gateway", "service": "envoy", "name": "", "protocol": "tcp", "port": 80}
    address = {"cluster_address": "10.49.0.8", "load_balancer_addresses": ("10.10.10.5",)}
    return ServicePort(**defaults | address | fields)


def test_without_a_configuration_there_is_the_full_mesh_of_as_64512():
    found = speaker()
    mesh = [(neighbour.kind, str(neighbour.address), neighbour.as_number) for neighbour in found.neighbours]
    assert mesh == [("Mesh", "10.0.1.20", 64512), ("Mesh", "10.0.1.30", 64512)]
    assert (found.port, found.bind_address, found.log_severity, found.announced) == (179, False, "Info", [])


def test_the_guides_configuration_is_honoured_field_by_field():
    spec = GUIDE | {"asNumber": 64600, "listenPort": 1790, "bindMode": "NodeIP", "logSeverityScreen": "Debug"}
    found = speaker(spec=spec | {"nodeMeshMaxRestartTime": "2m0s"})
    assert (found.as_number, found.port, found.bind_address, found.log_severity) == (64600, 1790, True, "Debug")
    assert {(mesh.as_number, mesh.port, mesh.restart_seconds) for mesh in found.neighbours} == {(64600, 1790, 120)}


def test_the_mesh_can_be_turned_off():
    assert speaker(spec={"nodeToNodeMeshEnabled": False}).neighbours == ()


def test_a_node_without_an_address_yet_is_no_neighbour():
    fresh = {"metadata": {"name": "worker3"}}
    assert speaker(nodes=[node(WORKER1), fresh]).neighbours == ()


def test_a_global_peer_is_everybodys():
    (found,) = speaker(spec={"nodeToNodeMeshEnabled": False}, peers=[peer(asNumber=64999)]).neighbours
    assert found == Neighbour("Global", BASTION.address, 64999)


@pytest.mark.parametrize(("name", "sessions"), [("worker1", 1), ("worker2", 0)])
def test_a_peer_of_one_node_is_that_nodes_alone(name, sessions):
    found = speaker(spec={"nodeToNodeMeshEnabled": False}, peers=[peer(node=name)]).neighbours
    assert [neighbour.kind for neighbour in found] == ["Node"] * sessions


def test_a_peer_may_listen_on_another_port():
    (found,) = speaker(nodes=[], peers=[peer(peerIP="10.0.1.10:1790")]).neighbours
    assert (found.address, found.port, found.session) == (IPv4Address("10.0.1.10"), 1790, "Global_10_0_1_10_port_1790")


def test_as_numbers_may_be_written_with_a_dot():
    assert speaker(spec={"asNumber": "1.10"}).as_number == 65546


def test_a_whole_range_is_announced_by_every_node():
    assert speaker(spec=GUIDE).announced == [RANGE]


def test_a_node_can_be_excluded():
    assert speaker(spec=GUIDE, nodes=[node(WORKER1, **{EXCLUDED_LABEL: ""})]).announced == []


@pytest.mark.parametrize(
    ("fields", "announced"),
    [
        ({"external_local": True, "ready_here": True}, ["10.10.10.5/32"]),
        ({"external_local": True, "ready_here": False}, []),
        ({"external_local": False, "ready_here": True}, []),
        ({"external_local": True, "ready_here": True, "load_balancer_addresses": ("10.20.0.1",)}, []),
    ],
    ids=["local and ready", "local, none ready", "policy Cluster", "outside the ranges"],
)
def test_a_single_address_is_announced_where_its_pod_is(fields, announced):
    assert list(map(str, speaker(spec=GUIDE, ports=[envoy(**fields)]).announced[1:])) == announced


def test_two_ports_announce_their_address_once():
    ports = [envoy(external_local=True, ready_here=True, port=number) for number in (80, 443)]
    assert len(speaker(spec=GUIDE, ports=ports).announced) == 2


def test_a_single_address_in_the_configuration_is_announced_with_its_service_everywhere():
    spec = {"serviceLoadBalancerIPs": [{"cidr": "10.10.10.5/32"}]}
    assert speaker(spec=spec).announced == []
    assert list(map(str, speaker(spec=spec, ports=[envoy()]).announced)) == ["10.10.10.5/32"]


def test_cluster_addresses_are_announced_when_asked_for():
    found = speaker(spec={"serviceClusterIPs": [{"cidr": "10.49.0.0/16"}]})
    assert list(map(str, found.announced)) == ["10.49.0.0/16"]
