import pytest

from calico_lab.lessons.rotation import Rotation, last_requests


class Logs:
    """A cluster of two pods, of which only the logs matter."""

    def __init__(self, *logs):
        self._logs = logs

    def list(self, _kind, *, labels):
        return [{"metadata": {"name": str(number)}} for number in range(len(self._logs))]

    def logs(self, pod, *, timestamps):
        return self._logs[int(pod)]


@pytest.mark.parametrize("sequence", [(1, 2, 3), (3, 1, 2, 3, 1, 2, 3), (2, 1, 3, 2, 1)])
def test_pods_in_turn(sequence):
    assert Rotation(sequence, pods=3).in_turn


@pytest.mark.parametrize("sequence", [(), (1, 2), (1, 2, 3, 3), (1, 2, 3, 2, 1, 3), (1, 1, 2), (1, 2, 1, 2)])
def test_pods_out_of_turn(sequence):
    assert not Rotation(sequence, pods=3).in_turn


def test_its_text_is_the_same_wherever_the_rotation_starts():
    assert repr(Rotation((1, 2, 1, 2), 2)) == repr(Rotation((2, 1, 2, 1), 2))


def test_a_sequence_out_of_turn_is_spelled_out():
    assert repr(Rotation((1, 1, 2), 2)).endswith("not in turn: pods 1 1 2")


def test_requests_are_ordered_by_the_time_at_which_they_were_logged():
    first = "2026-11-24T02:00:00.5Z Echoing back request made to /round\n2026-11-24T02:00:00Z Starting server\n"
    second = (
        "2026-11-24T02:00:00.499999999Z Echoing back request made to /round\n"
        "2026-11-24T02:00:01Z Echoing back request made to /round\n"
    )
    assert last_requests(Logs(first, second), 3).sequence == (2, 1, 2)


def test_only_the_last_requests_count():
    lines = "".join(f"2026-11-24T02:00:0{second}Z Echoing back request made to /round\n" for second in range(5))
    assert last_requests(Logs(lines), 2).sequence == (1, 1)
