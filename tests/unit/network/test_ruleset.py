"""The text of the rules; what the kernel makes of it is tested in ``in_namespaces/inside_services.py``."""

import re
from ipaddress import IPv4Address

from calico_lab.local.network.ruleset import render
from calico_lab.local.network.service_ports import Endpoint, ServicePort

HERE, THERE = Endpoint("10.48.1.1", 3000, "worker1"), Endpoint("10.48.2.1", 3000, "worker2")


def port(**fields):
    defaults = {"namespace": "default", "service": "web", "name": "http", "protocol": "tcp", "port": 80}
    return ServicePort(**defaults | {"cluster_address": "10.49.0.7", "endpoints": (HERE, THERE)} | fields)


def rules(*ports):
    return render(ports, IPv4Address("10.0.1.31"))


def element(text, map_name, match):
    """Return the verdict that a map has for a match, or None."""
    (contents,) = re.findall(rf"map {map_name} {{(.*)}}\n", text)
    found = re.search(rf"[ ,]{re.escape(match)} : (?:goto )?([^, ]+)", contents)
    return found and found.group(1)


def chain(text, name):
    (contents,) = re.findall(rf"chain {re.escape(name)} {{\n(.*?)    }}\n", text, re.DOTALL)
    return [line.strip() for line in contents.splitlines()]


def test_the_whole_is_one_replacement_of_the_tables():
    assert [line for line in rules().splitlines() if line.startswith(("add", "delete", "table"))] == [
        "add table ip calico",
        "delete table ip calico",
        "table ip calico {",
        "add table ip kube-proxy",
        "delete table ip kube-proxy",
        "table ip kube-proxy {",
    ]


def test_a_cluster_address_leads_to_one_endpoint_of_all_at_random():
    text = rules(port())
    first, second = re.search(
        r"numgen random mod 2 vmap { 0 : goto (\S+), 1 : goto (\S+) }",
        chain(text, element(text, "service-ips", "10.49.0.7 . tcp . 80"))[-1],
    ).groups()
    assert chain(text, first)[-1] == "meta l4proto tcp dnat to 10.48.1.1:3000"
    assert chain(text, second)[-1] == "meta l4proto tcp dnat to 10.48.2.1:3000"


def test_the_policy_local_keeps_only_the_nodes_own_endpoints():
    item = port(load_balancer_addresses=("10.10.10.0",), external_local=True, local_endpoints=(HERE,))
    text = rules(item)
    external = chain(text, element(text, "service-ips", "10.10.10.0 . tcp . 80"))
    assert "jump mark-for-masquerade" not in external
    assert re.search(r"goto (local-\S+)", external[-1])


def test_the_policy_local_without_an_endpoint_drops_what_comes_from_outside():
    text = rules(port(load_balancer_addresses=("10.10.10.0",), node_port=30080, external_local=True))
    assert element(text, "no-endpoint-services", "10.10.10.0 . tcp . 80") == "drop"
    assert element(text, "no-endpoint-nodeports", "tcp . 30080") == "drop"
    assert element(text, "no-endpoint-services", "10.49.0.7 . tcp . 80") is None


def test_without_any_endpoint_every_address_refuses():
    text = rules(port(endpoints=(), load_balancer_addresses=("10.10.10.0",), node_port=30080))
    for match in ("10.49.0.7 . tcp . 80", "10.10.10.0 . tcp . 80"):
        assert element(text, "no-endpoint-services", match) == "reject-chain"
        assert "10." not in (element(text, "service-ips", match) or "")
    assert element(text, "no-endpoint-nodeports", "tcp . 30080") == "reject-chain"


def test_two_ports_of_a_service_have_chains_of_their_own():
    text = rules(port(), port(name="admin", port=81))
    chains = [element(text, "service-ips", f"10.49.0.7 . tcp . {number}") for number in (80, 81)]
    assert len(set(chains)) == 2


def test_external_ips_are_served_like_load_balancer_addresses():
    assert element(rules(port(external_ips=("10.0.1.99",))), "service-ips", "10.0.1.99 . tcp . 80")


def test_the_same_services_give_the_same_text():
    assert rules(port(local_endpoints=(HERE,))) == rules(port(local_endpoints=(HERE,)))
