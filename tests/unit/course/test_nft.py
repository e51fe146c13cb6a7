import json

import pytest

from calico_lab.errors import ReportError
from calico_lab.tools import nft

LOCAL = {"match": {"op": "==", "left": {"fib": {"result": "type", "flags": ["saddr"]}}, "right": "local"}}
TCP = {"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": "tcp"}}


def goto(chain):
    return {"goto": {"target": chain}}


def draw(*chains):
    choice = [[number, goto(chain)] for number, chain in enumerate(chains)]
    return {"vmap": {"key": {"numgen": {"mode": "random", "mod": len(chains)}}, "data": {"set": choice}}}


def endpoint(address):
    return {"dnat": {"addr": address, "port": 10080}}


def table(*rules):
    elements = [[{"concat": ["10.10.10.0", "tcp", 80]}, goto("external-X")]]
    listed = [{"rule": {"chain": chain, "expr": list(statements)}} for chain, *statements in rules]
    return json.dumps({"nftables": [{"metainfo": {}}, {"map": {"name": "service-ips", "elem": elements}}, *listed]})


def test_from_the_address_to_the_endpoint():
    text = table(
        ("external-X", LOCAL, goto("service-X")), ("external-X", goto("local-X")),
        ("local-X", draw("endpoint-1")), ("endpoint-1", TCP, endpoint("10.48.2.2")),
        ("service-X", draw("endpoint-9")), ("endpoint-9", TCP, endpoint("10.48.9.9")),
    )  # fmt: skip
    found = nft.follow(text, "10.10.10.0", 80)
    assert (found.chains, found.endpoints) == (("external-X", "local-X", "endpoint-1"), ("10.48.2.2:10080",))
    assert repr(found) == "10.10.10.0:80 -> external -> local -> endpoint -> 10.48.2.2:10080"


def test_one_of_several_is_drawn():
    text = table(
        ("external-X", goto("service-X")), ("service-X", draw("endpoint-1", "endpoint-2")),
        ("endpoint-1", TCP, endpoint("10.48.1.1")), ("endpoint-2", TCP, endpoint("10.48.1.2")),
    )  # fmt: skip
    assert repr(nft.follow(text, "10.10.10.0", 80)).endswith("endpoint -> 10.48.1.1:10080 or 10.48.1.2:10080")


def test_a_node_without_an_endpoint_of_its_own_leads_nowhere():
    text = table(("external-X", LOCAL, goto("service-X")))
    assert repr(nft.follow(text, "10.10.10.0", 80)) == "10.10.10.0:80 -> nobody on this node"


def test_a_port_that_no_service_has():
    assert nft.follow(table(), "10.10.10.0", 81).chains == ()


@pytest.mark.parametrize("text", ["", "{}", "Error: No such file or directory", '{"nftables": 3}'])
def test_anything_else_is_refused(text):
    with pytest.raises(ReportError):
        nft.follow(text, "10.10.10.0", 80)
