from types import SimpleNamespace

import pytest

from calico_lab.completed_command import CompletedCommand
from calico_lab.errors import PrerequisiteError, ReportError
from calico_lab.lessons import connections
from calico_lab.lessons.connections import Connections
from calico_lab.views.connections_plot import ConnectionsPlot


@pytest.mark.parametrize(
    ("sequence", "each", "text"),
    [
        ((2, 3, 1, 2, 3, 1), 6, "6 requests over one connection: the 3 pods in turn"),
        ((2, 2, 2, 2), 4, "4 requests over one connection: all at one pod"),
        ((2, 2, 1, 2), 4, "4 requests over one connection: several pods, not in turn"),
        ((1, 1, 3, 3, 2, 2, 1, 1), 2, "8 requests over 4 connections: each stays at its pod, the 3 pods in turn"),
        ((1, 1, 1, 1, 2, 2), 2, "6 requests over 3 connections: each stays at its pod, not in turn"),
        ((1, 2, 1, 1, 2, 2), 2, "6 requests over 3 connections: not in turn"),
        ((1, 2, 3, 1), 1, "4 connections: the 3 pods in turn"),
        ((1, 2, 1, 3), 1, "4 connections: each stays at its pod, not in turn"),
    ],
)
def test_what_is_dealt_out_is_told(sequence, each, text):
    assert repr(Connections(sequence, each, 3)) == text


@pytest.mark.parametrize(
    ("sequence", "expected"),
    [((1, 2, 3, 1, 2), True), ((3, 1), True), ((1, 1), False), ((1, 2, 1), False), ((1,), False), ((), False)],
)
def test_in_turn(sequence, expected):
    assert connections.in_turn(sequence, 3) is expected


def lab(output, exit_code=0, pods=("backend-a-1", "backend-a-2")):
    commands = []

    def run(command, **_options):
        commands.append(command)
        return CompletedCommand(command, exit_code, output, "")

    cluster = SimpleNamespace(list=lambda _kind, labels: [{"metadata": {"name": pod}} for pod in pods])
    return SimpleNamespace(cluster=cluster, bastion=SimpleNamespace(run=run), commands=commands)


ANSWERS = '{\n "pod": "backend-a-2"\n}{\n "pod": "backend-a-1"\n}'


def test_answers_name_the_pods():
    assert connections.send(lab(ANSWERS), "http://192.0.2.1/", requests_each=2).sequence == (2, 1)


@pytest.mark.parametrize(("output", "wanted"), [(ANSWERS, 3), ("", 1), (ANSWERS.replace("a-2", "b-2"), 2)])
def test_fewer_answers_and_other_pods_are_told(output, wanted):
    with pytest.raises(ReportError):
        connections.send(lab(output), "http://192.0.2.1/", connections=wanted)


def test_a_bastion_without_curl_is_told():
    with pytest.raises(PrerequisiteError, match="no curl"):
        connections.send(lab("", exit_code=127), "http://192.0.2.1/")


def test_greetings_name_the_pods():
    found = connections.greeted(lab("hello from backend-a-1\nhello from backend-a-2\n"), "192.0.2.1", 7000, 2)
    assert found.sequence == (1, 2)


def test_the_picture_has_a_strip_for_each_way():
    ways = {"HTTPRoute": Connections((1, 2, 1, 2), 4, 2), "TCPRoute": Connections((1, 1, 2, 2), 2, 2)}
    plot = ConnectionsPlot(ways)
    first, second = plot.figure().axes
    assert first.get_title(loc="left") == "HTTPRoute: the 2 pods in turn"
    assert second.get_title(loc="left") == "TCPRoute: each stays at its pod, the 2 pods in turn"
    assert [len(axes.patches) for axes in (first, second)] == [1 + 4, 2 + 4]  # connections and requests
    assert repr(plot).splitlines()[0] == "HTTPRoute: 4 requests over one connection: the 2 pods in turn"


def test_nothing_is_no_picture():
    with pytest.raises(ValueError, match="nothing"):
        ConnectionsPlot({})
