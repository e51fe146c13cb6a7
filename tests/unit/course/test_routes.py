import pytest

from calico_lab.errors import ReportError
from calico_lab.tools import routes

PRINTED = """[
 {"dst":"10.0.1.0/24","dev":"eth0","protocol":"kernel","scope":"link","prefsrc":"10.0.1.10","flags":[]},
 {"dst":"10.10.10.0","gateway":"10.0.1.30","dev":"eth0","protocol":"bird","flags":[]},
 {"dst":"10.10.10.0/26","protocol":"bird","flags":[],"nexthops":[
  {"gateway":"10.0.1.30","dev":"eth0","weight":1,"flags":[]},
  {"gateway":"10.0.1.20","dev":"eth0","weight":1,"flags":[]}]}
]"""


def test_each_destination_with_its_next_hops_and_who_told():
    table = routes.parse(PRINTED)
    assert table.loc["10.0.1.0/24"].tolist() == ["directly, eth0", "kernel"]
    assert table.loc["10.10.10.0"].tolist() == ["10.0.1.30", "bird"]
    assert table.loc["10.10.10.0/26"].tolist() == ["10.0.1.20, 10.0.1.30", "bird"]


@pytest.mark.parametrize("text", ["", "command not found", "[1]", '[{"dev": "eth0"}]'])
def test_anything_else_is_refused(text):
    with pytest.raises(ReportError):
        routes.parse(text)
