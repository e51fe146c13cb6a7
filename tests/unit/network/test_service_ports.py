import pytest

from calico_lab.local.network.service_ports import Endpoint, service_ports

READY = {"ready": True, "serving": True, "terminating": False}
STARTING = {"ready": False, "serving": False, "terminating": False}
ENDING = {"ready": False, "serving": True, "terminating": True}


def service(name="web", **spec):
    defaults = {"clusterIP": "10.49.0.7", "ports": [{"name": "http", "port": 80, "protocol": "TCP"}]}
    return {"metadata": {"name": name, "namespace": "default"}, "spec": defaults | spec}


def endpoint(address, conditions=READY, node="worker1"):
    return {"addresses": [address], "conditions": conditions, "nodeName": node}


def endpoint_slice(*endpoints, service="web", port=3000, name="http", kind="IPv4"):
    return {
        "metadata": {"name": "s", "namespace": "default", "labels": {"kubernetes.io/service-name": service}},
        "addressType": kind,
        "ports": [{"name": name, "port": port, "protocol": "TCP"}],
        "endpoints": list(endpoints),
    }


def only(services, slices, node="worker1"):
    (port,) = service_ports(services, slices, node)
    return port


def test_endpoints_come_from_every_slice_of_the_service_in_order_of_address():
    slices = [endpoint_slice(endpoint("10.48.1.9")), endpoint_slice(endpoint("10.48.1.1"))]
    found = only([service()], slices).endpoints
    assert found == (Endpoint("10.48.1.1", 3000, "worker1"), Endpoint("10.48.1.9", 3000, "worker1"))


def test_slices_of_other_services_and_other_ports_do_not_count():
    slices = [
        endpoint_slice(endpoint("10.48.1.1"), service="other"),
        endpoint_slice(endpoint("10.48.1.2"), name="admin"),
    ]
    assert only([service()], slices).endpoints == ()


def test_addresses_of_another_family_do_not_count():
    assert only([service()], [endpoint_slice(endpoint("fd00::1"), kind="IPv6")]).endpoints == ()


@pytest.mark.parametrize("conditions", [{}, {"ready": True}, READY])
def test_an_endpoint_counts_as_ready_unless_it_says_otherwise(conditions):
    assert only([service()], [endpoint_slice(endpoint("10.48.1.1", conditions))]).ready_here


def test_ending_endpoints_serve_only_while_no_other_is_ready():
    ending, starting = endpoint("10.48.1.1", ENDING), endpoint("10.48.1.2", STARTING)
    alone = only([service()], [endpoint_slice(ending, starting)])
    beside = only([service()], [endpoint_slice(ending, endpoint("10.48.1.3"))])
    assert [end.address for end in alone.endpoints] == ["10.48.1.1"]
    assert [end.address for end in beside.endpoints] == ["10.48.1.3"]
    assert not alone.ready_here


def test_local_endpoints_are_those_of_the_node_that_asks():
    slices = [endpoint_slice(endpoint("10.48.1.1"), endpoint("10.48.2.1", node="worker2"))]
    assert [end.address for end in only([service()], slices, "worker2").local_endpoints] == ["10.48.2.1"]
    assert only([service()], slices, "control1").local_endpoints == ()


def test_an_endpoint_outside_the_pod_network_needs_no_node():
    outside = {"addresses": ["10.0.1.20"], "conditions": {"ready": True}}
    assert only([service()], [endpoint_slice(outside, port=6443)]).endpoints == (Endpoint("10.0.1.20", 6443),)


@pytest.mark.parametrize("spec", [{"clusterIP": "None"}, {"type": "ExternalName", "clusterIP": ""}])
def test_services_without_an_address_have_nothing_to_translate(spec):
    assert service_ports([service(**spec)], [], "worker1") == []


def test_addresses_of_the_load_balancer_come_from_the_status():
    item = service(type="LoadBalancer") | {"status": {"loadBalancer": {"ingress": [{"ip": "10.10.10.0"}]}}}
    assert only([item], []).load_balancer_addresses == ("10.10.10.0",)


def test_services_come_in_the_order_of_their_names_however_they_are_given():
    names = [port.service for port in service_ports([service("b"), service("c"), service("a")], [], "worker1")]
    assert names == ["a", "b", "c"]
