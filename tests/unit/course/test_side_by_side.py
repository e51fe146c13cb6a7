"""The same requests to two addresses, with a curl that answers by the address; and clients that move."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

from calico_lab.errors import PrerequisiteError
from calico_lab.lessons import shift, side_by_side
from calico_lab.lessons.side_by_side import Answer
from calico_lab.views.shift_plot import ShiftPlot

BODY = """{{
 "path": "{path}",
 "headers": {{
  "{header}": [
   "x"
  ]
 }},
 "pod": "{deployment}-5d5f8b7b-gck8t"
}}"""


class Bastion:
    """Answers as Traefik at ``old``, as Envoy at ``new``, and 404 for what begins with /none."""

    def __init__(self, exit_code=0, fails_at="nowhere"):
        self.name, self.exit_code, self.fails_at, self.commands = "the bastion", exit_code, fails_at, []

    def run(self, command, *, check=True, time_limit=0.0):
        self.commands.append(command)
        output = ""
        for address, path in re.findall(r"http://(\w+)(/[^ ']*)", command):
            header = "X-Forwarded-Server" if address == "old" else "X-Envoy-External-Address"
            body, status = BODY.format(path=path, header=header, deployment="backend-v2"), 200
            if path.startswith("/none") or address == self.fails_at:
                body, status = ("404 page not found", 404) if address != self.fails_at else ("", 0)
            output += f"{body}\n--answered {status:03}\n"
        return SimpleNamespace(exit_code=self.exit_code, output=output)


def test_answers_are_read_one_by_one():
    bastion = Bastion()
    found = side_by_side.ask(bastion, [("old", "h", "-H 'A: b' /x"), ("new", "h", "/none")])
    assert found == [Answer(200, "backend-v2", "/x", "Traefik"), Answer(404)]
    assert list(map(str, found)) == ["200 backend-v2 /x", "404"]
    assert "-H 'A: b' http://old/x --next " in bastion.commands[0]


def test_who_differs_is_told():
    found = side_by_side.compare(Bastion(fails_at="new"), {"a": "old", "b": "new"}, "h", ["/x", "/none"])
    assert found.differing == ["/x", "/none"]
    assert list(found.frame()["b"]) == ["no answer", "no answer"]
    same = side_by_side.compare(Bastion(), {"a": "old", "b": "new"}, "h", ["/x", "'/none?<'"])
    assert (same.differing, list(same.frame()["same"])) == ([], ["yes", "yes"])
    assert same._repr_html_().count("=</td>") == 2
    assert "/none?&lt;" in same._repr_html_()
    assert "≠" in found._repr_html_()


def test_a_bastion_without_curl_is_told():
    with pytest.raises(PrerequisiteError, match="no curl"):
        side_by_side.ask(Bastion(exit_code=127), [("old", "h", "/")])


def test_a_share_of_the_requests_goes_to_the_new_address():
    stages = shift.move(Bastion(), "old", "new", "h", "/x", shares=(0, 10, 100), requests=20)
    assert [(stage.by("Traefik"), stage.by("Envoy"), stage.lost) for stage in stages] == [
        (20, 0, 0),
        (18, 2, 0),
        (0, 20, 0),
    ]


def test_what_is_lost_is_seen_in_the_plot():
    plot = ShiftPlot(shift.move(Bastion(fails_at="new"), "old", "new", "h", "/x", shares=(0, 50), requests=10))
    assert repr(plot) == (
        "  0 % to the new address: Traefik 10, Envoy 0, lost 0\n 50 % to the new address: Traefik 5, Envoy 0, lost 5"
    )
    assert plot.figure().axes[0].get_title(loc="left") == "20 requests on the move, 5 lost"
    assert plot.png().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="no stage"):
        ShiftPlot(())
