import re
import xml.etree.ElementTree as Xml
from dataclasses import replace

import pandas as pd
import pytest

from calico_lab.completed_command import CompletedCommand
from calico_lab.errors import ConsentError, LabError
from calico_lab.kubeconfig import Kubeconfig
from calico_lab.lab import Lab
from calico_lab.lessons import bgp_session, path, witnesses
from calico_lab.lessons.path import Path, Stop
from calico_lab.tools.access_log import Request
from calico_lab.tools.nft import Translation
from calico_lab.views import path_svg
from calico_lab.views.path import PathView

PATH = Path(
    client="10.0.1.10", destination="10.10.10.0:80", prefix="10.10.10.0/32", learned_from="worker2",
    next_hop="10.0.1.30", node="worker2",
    translation=Translation("10.10.10.0:80", ("external-X", "local-X", "endpoint-X"), ("10.48.2.2:10080",)),
    envoy=Stop("Envoy", "worker2", "10.48.2.2:10080"), listener="http at 0.0.0.0:10080",
    match="www.example.com /round[/...]", policy="round_robin",
    pods=(Stop("pod 1", "worker2", "10.48.2.0:3000"), Stop("pod 2", "worker1", "10.48.1.2:3000")),
)  # fmt: skip
SENT = Request(
    "now", "www.example.com", "/round", 200, "-", "10.48.1.2:3000", "via_upstream", "10.0.1.10:5", "10.48.2.2:10080",
    "10.48.2.2:7", "10.0.1.10",
)  # fmt: skip
OTHER_CLUSTER = Kubeconfig("none", "a-context", "https://127.0.0.1:1", "default", {})


def words(of: Path) -> str:
    return " ".join(Xml.fromstring(path_svg.draw(of)).itertext())


def test_the_picture_has_every_address_on_the_way():
    drawn = words(PATH)
    addresses = set(re.findall(r"[\d.]+(?:[:/]\d+)", repr(PATH))) - {"0.0.0.0:10080"}
    assert {address for address in addresses if address not in drawn} == set()


def test_the_picture_is_the_same_each_time():
    assert PathView(PATH)._repr_html_() == PathView(PATH)._repr_html_()


def test_a_node_that_translates_to_nobody_shows():
    lost = replace(PATH, translation=Translation("10.10.10.0:80", (), ()))
    assert "nobody on this node" in words(lost)
    assert path_svg.draw(lost).count('class="request"') == path_svg.draw(PATH).count('class="request"') - 1


def test_a_kernel_that_nobody_may_look_into_shows():
    unseen = replace(PATH, translation=None)
    assert "no shell on the nodes" in repr(unseen)
    assert "no shell here to look" in words(unseen)


def test_text_of_the_cluster_is_escaped():
    assert "<b>" not in path_svg.draw(replace(PATH, match="<b> /round"))


def test_more_pods_than_there_is_room_for():
    assert "and 12 more" in words(replace(PATH, pods=PATH.pods * 10))


def test_the_legs_of_a_request():
    legs = witnesses.legs(SENT, PATH)
    assert legs.loc["the bastion asks"].tolist() == ["10.0.1.10", "10.10.10.0:80"]
    assert legs.loc["Envoy is asked"].tolist() == ["10.0.1.10", "10.48.2.2:10080"]
    assert legs.loc["Envoy asks"].tolist() == ["10.48.2.2", "one of the pods"]


@pytest.mark.parametrize(("upstream", "shown"), [("10.48.9.9:3000", "10.48.9.9:3000"), ("", "nobody")])
def test_a_request_that_went_elsewhere_shows(upstream, shown):
    assert witnesses.legs(replace(SENT, upstream=upstream), PATH).loc["Envoy asks", "to"] == shown


PROTOCOLS = "name proto table state since info\n" + "".join(f"{n} BGP master up 1 Established\n" for n in ("a", "b"))
RANGE = "10.10.10.0/26 via 10.0.1.{} on eth0 [{} 22:53:30]{} (100/0) [i]\n"


class Bastion:
    """BIRD that has heard of one session first, and of both when it is asked again."""

    def __init__(self, *tables):
        self.tables = list(tables)

    def run(self, command, **_):
        text = PROTOCOLS if "protocols" in command else self.tables.pop(0)
        return CompletedCommand(command, 0, text, "")


def routes(*tables) -> pd.DataFrame:
    lab = Lab(OTHER_CLUSTER)
    vars(lab)["bastion"] = Bastion(*tables)
    return path.routes_to(lab, "10.10.10.0")


def test_routes_to_an_address_are_those_whose_prefix_holds_it_the_widest_first():
    table = "10.10.10.0/32 via 10.0.1.2 on eth0 [b 1] * (100/0) [i]\n" + RANGE.format(2, "b", "")
    table += RANGE.format(1, "a", " *") + RANGE.replace("10.10.10", "10.48.2").format(1, "a", " *")
    found = routes(table)
    assert list(zip(found.index, found["protocol"], found["best"], strict=True)) == [
        ("10.10.10.0/26", "a", True), ("10.10.10.0/26", "b", False), ("10.10.10.0/32", "b", True),
    ]  # fmt: skip


def test_a_session_that_has_not_told_yet_is_waited_for():
    first = RANGE.format(1, "a", " *")
    assert list(routes(first, first + RANGE.format(2, "b", ""))["protocol"]) == ["a", "b"]


def test_a_session_of_others_is_not_dropped_without_a_yes():
    with pytest.raises(ConsentError, match="BGP session worker1 would be changed") as caught:
        bgp_session.drop(Lab(OTHER_CLUSTER), "worker1")
    assert "yes=True" in caught.value.remedy


def test_without_a_shell_on_the_nodes_it_is_said_what_to_do_instead():
    assert "kubectl debug node/worker1" in witnesses.on_node(Lab(OTHER_CLUSTER), "worker1", "ip route")
    with pytest.raises(LabError):
        Lab(OTHER_CLUSTER).node("worker1")
