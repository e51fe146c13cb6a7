"""Addresses and ports that the server gives to services."""

from ipaddress import IPv4Address

import pytest

from calico_lab import errors
from calico_lab.local.resources import SERVICES
from calico_lab.local.topology import KUBERNETES_SERVICE, SERVICE_NETWORK


async def test_a_service_gets_an_address(client, make):
    spec = (await client.create(SERVICES, make.service()))["spec"]
    assert IPv4Address(spec["clusterIP"]) in SERVICE_NETWORK
    assert spec["clusterIPs"] == [spec["clusterIP"]]
    assert (spec["ipFamilies"], spec["ipFamilyPolicy"], spec["type"]) == (["IPv4"], "SingleStack", "ClusterIP")


async def test_the_same_service_gets_the_same_address_again(client, make):
    first = await client.create(SERVICES, make.service(type="NodePort"))
    await client.delete(SERVICES, "web", "default")
    second = await client.create(SERVICES, make.service(type="NodePort"))
    assert first["spec"] == second["spec"]


async def test_no_two_services_share_an_address_or_port(client, make):
    made = [await client.create(SERVICES, make.service(f"s{number}", type="NodePort")) for number in range(60)]
    assert len({each["spec"]["clusterIP"] for each in made}) == 60
    ports = {each["spec"]["ports"][0]["nodePort"] for each in made}
    assert len(ports) == 60
    assert all(30000 <= port <= 32767 for port in ports)


async def test_a_headless_service_gets_none(client, make):
    assert (await client.create(SERVICES, make.service(clusterIP="None")))["spec"]["clusterIPs"] == ["None"]


async def test_the_address_of_the_api_server_is_taken(client, make):
    address = str(KUBERNETES_SERVICE)
    assert (await client.get(SERVICES, "kubernetes", "default"))["spec"]["clusterIP"] == address
    with pytest.raises(errors.Invalid, match="provided IP is already allocated"):
        await client.create(SERVICES, make.service(clusterIP=address))


async def test_an_address_from_elsewhere(client, make):
    with pytest.raises(errors.Invalid, match=r"The range of valid IPs is 10.49.0.0/16"):
        await client.create(SERVICES, make.service(clusterIP="10.1.2.3"))


async def test_an_address_cannot_be_changed(client, make):
    await client.create(SERVICES, make.service())
    with pytest.raises(errors.Invalid, match="may not change once set"):
        await client.patch(SERVICES, "web", "default", {"spec": {"clusterIP": "10.49.9.9"}})


async def test_a_node_port_that_is_taken(client, make):
    ports = [{"port": 80, "nodePort": 30080}]
    await client.create(SERVICES, make.service("a", type="NodePort", ports=ports))
    with pytest.raises(
        errors.Invalid, match=r"spec.ports\[0\].nodePort: Invalid value: 30080: provided port is already"
    ):
        await client.create(SERVICES, make.service("b", type="NodePort", ports=ports))


async def test_a_load_balancer_with_local_traffic_gets_a_health_check_port(client, make):
    made = await client.create(SERVICES, make.service(type="LoadBalancer", externalTrafficPolicy="Local"))
    changed = await client.patch(SERVICES, "web", "default", {"metadata": {"labels": {"a": "b"}}})
    assert made["spec"]["healthCheckNodePort"] != made["spec"]["ports"][0]["nodePort"]
    assert changed["spec"] == made["spec"]


async def test_a_service_that_is_no_node_port_any_more_gives_its_port_back(client, make):
    await client.create(SERVICES, make.service(type="NodePort"))
    changed = await client.patch(SERVICES, "web", "default", {"spec": {"type": "ClusterIP"}})
    assert "nodePort" not in changed["spec"]["ports"][0]


async def test_a_load_balancer_becomes_an_ordinary_service(client, make):
    await client.create(SERVICES, make.service(type="LoadBalancer", externalTrafficPolicy="Local"))
    spec = (await client.patch(SERVICES, "web", "default", {"spec": {"type": "ClusterIP"}}))["spec"]
    assert not {"externalTrafficPolicy", "allocateLoadBalancerNodePorts", "healthCheckNodePort"} & spec.keys()
    assert "nodePort" not in spec["ports"][0]
