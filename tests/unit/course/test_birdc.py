import pytest

from calico_lab.errors import ReportError
from calico_lab.tools import birdc

PROTOCOLS = """BIRD 1.6.8 ready.
name     proto    table    state  since       info
kernel1  Kernel   master   up     23:42:33    
control1 BGP      master   up     23:42:35    Established   
worker1  BGP      master   start  23:42:36    Active        Socket: Connection refused
"""  # noqa: W291


def test_protocols_by_name():
    protocols = birdc.parse_protocols(PROTOCOLS)
    assert list(protocols.index) == ["kernel1", "control1", "worker1"]
    assert list(protocols["proto"]) == ["Kernel", "BGP", "BGP"]


def test_the_state_of_a_session_and_its_last_error():
    info = birdc.parse_protocols(PROTOCOLS)["info"]
    assert info["control1"] == "Established"
    assert info["worker1"].startswith("Active")
    assert info["worker1"].endswith("Socket: Connection refused")
    assert info["kernel1"] == ""


@pytest.mark.parametrize("text", ["", "Unable to connect to server control socket", PROTOCOLS + "what is this\n"])
def test_anything_else_is_refused(text):
    with pytest.raises(ReportError):
        birdc.parse_protocols(text)


ROUTES = """BIRD 1.6.8 ready.
10.0.1.0/24        dev eth0 [direct1 22:53:26] * (240)
10.10.10.0/26      via 10.0.1.20 on eth0 [control1 22:53:30] * (100/0) [i]
                   via 10.0.1.31 on eth0 [worker1 22:53:30] (100/0) [i]
10.48.1.0/26       blackhole [static1 22:53:30] * (200)
"""


def test_every_way_to_a_prefix_and_which_is_chosen():
    routes = birdc.parse_routes(ROUTES)
    assert [tuple(row) for row in routes.itertuples(index=False)] == [
        ("10.0.1.0/24", "", "eth0", "direct1", True),
        ("10.10.10.0/26", "10.0.1.20", "eth0", "control1", True),
        ("10.10.10.0/26", "10.0.1.31", "eth0", "worker1", False),
        ("10.48.1.0/26", "", "", "static1", True),
    ]


def test_no_route_is_an_empty_table():
    assert birdc.parse_routes("BIRD 1.6.8 ready.\nNetwork not in table\n").empty
