"""The text of BIRD's files; what BIRD makes of it is tested in ``in_namespaces/inside_guide.py``."""

import re
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

import pytest

from calico_lab.local.network.bird_configuration import Neighbour, Speaker, bastion, node
from calico_lab.local.topology import WORKER1

SPEAKER = Speaker(WORKER1.address, WORKER1.pod_block)
RANGE = IPv4Network("10.10.10.0/26")


def mesh(address, **fields):
    return Neighbour("Mesh", IPv4Address(address), 64512, **fields)


def session(text, name):
    return re.search(rf"protocol bgp {name} from bgp_template {{\n(.*?)}}", text, re.DOTALL).group(1)


def test_the_bastions_filter_is_the_one_that_the_guide_greps_and_edits():
    lines = bastion().splitlines()
    start = lines.index("# Import filter")
    assert lines[start + 1] == "filter rt_import {"
    assert lines[start + 4] == 24 * " " + "if (net ~ 10.50.0.0/24) then accept;"
    assert lines[start + 5 : start + 7] == [24 * " " + "reject;", "}"]


def test_the_bastion_lists_its_protocols_in_the_order_of_the_guides_sample():
    assert re.findall(r"^protocol (\w+(?: \w+)?)", bastion(), re.MULTILINE) == [
        "direct",
        "kernel",
        "device",
        "bgp control1",
        "bgp worker1",
        "bgp worker2",
    ]


@pytest.mark.parametrize(("neighbour", "passive"), [("10.0.1.20", False), ("10.0.1.4", True), ("10.0.1.32", True)])
def test_of_two_nodes_the_one_with_the_greater_text_dials(neighbour, passive):
    text = node(replace(SPEAKER, neighbours=[mesh(neighbour)]))
    assert ("passive on;" in session(text, f"Mesh_{neighbour.replace('.', '_')}")) == passive


def test_peers_are_dialled_whatever_their_address():
    text = node(replace(SPEAKER, neighbours=[Neighbour("Global", IPv4Address("10.0.1.99"), 65000)]))
    assert session(text, "Global_10_0_1_99") == "  neighbor 10.0.1.99 as 65000;\n  source address 10.0.1.31;\n"


def test_service_ranges_are_announced_and_kept_out_of_the_kernel():
    text = node(replace(SPEAKER, service_ranges=[RANGE], announced=[RANGE]))
    kernel, export = re.findall(r"filter calico_\w+ {\n(.*?)}", text, re.DOTALL)
    assert kernel.startswith("  if ( net ~ 10.10.10.0/26 ) then reject;")
    assert "if ( net ~ 10.10.10.0/26 ) then accept;" in export
    assert "route 10.10.10.0/26 blackhole;" in text


def test_the_block_is_announced_as_a_whole():
    text = node(SPEAKER)
    assert "route 10.48.1.0/26 blackhole;" in text
    assert text.index("net = 10.48.1.0/26 ) then accept") < text.index("net ~ 10.48.1.0/26 ) then reject")


@pytest.mark.parametrize(
    ("bind", "line"), [(True, "listen bgp address 10.0.1.31 port 179;"), (False, "listen bgp port 179;")]
)
def test_the_bind_mode_decides_on_the_address(bind, line):
    assert line in node(replace(SPEAKER, bind_address=bind)).splitlines()


@pytest.mark.parametrize(("severity", "line"), [("Debug", "debug all;"), ("Info", "debug { states };"), ("None", "")])
def test_the_log_severity_decides_what_sessions_log(severity, line):
    template = re.search(
        r"template bgp bgp_template {\n(.*?)\n}", node(replace(SPEAKER, log_severity=severity)), re.DOTALL
    )
    assert re.findall(r"debug.*;", template.group(1)) == ([line] if line else [])


def test_a_restart_time_and_a_port_reach_the_session():
    text = node(replace(SPEAKER, neighbours=[mesh("10.0.1.20", port=1790, restart_seconds=120)]))
    assert "neighbor 10.0.1.20 port 1790 as 64512;" in session(text, "Mesh_10_0_1_20")
    assert "graceful restart time 120;" in session(text, "Mesh_10_0_1_20")
