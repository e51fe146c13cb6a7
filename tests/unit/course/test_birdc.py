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
