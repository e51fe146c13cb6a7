import subprocess

import pytest

from calico_lab.errors import WaitTimeout
from calico_lab.lessons import experiment, numbered, rotation
from calico_lab.lessons.experiment import Settings


class Lab:
    """A bastion whose requests reach the pods of ``turns`` one after the other, and the pods' logs."""

    def __init__(self, pods, turns):
        self.cluster = self.bastion = self
        self.commands = []
        self._logs = {
            str(pod): "Echoing back request made to /round to client (10.0.0.1:1)\n" for pod in range(1, pods + 1)
        }
        self._turns = iter(turns)

    def run(self, command, **_options):
        self.commands.append(command)
        fake_hey = 'hey() { for _ in $(seq $2); do echo "${@: -1}"; done >&2; }; '
        done = subprocess.run(["bash", "-c", fake_hey + command], capture_output=True, text=True, check=True)
        for url in done.stderr.split():
            path = url.removeprefix("http://10.10.10.1")
            self._logs[str(next(self._turns))] += f"Echoing back request made to {path} to client (10.0.0.1:1)\n"

    def list(self, _kind, *, labels):
        return [{"metadata": {"name": name}} for name in self._logs]

    def logs(self, pod):
        return self._logs[pod]


def test_requests_are_told_in_the_order_of_their_numbers():
    assert rotation.one_by_one(Lab(3, [2, 3, 1, 2]), "10.10.10.1", 4).sequence == (2, 3, 1, 2)


def test_the_tenth_request_comes_after_the_ninth():
    turns = [1, 2, 1, 2, 1, 2, 1, 2, 2, 1]
    assert rotation.one_by_one(Lab(2, turns), "10.10.10.1", 10).sequence == tuple(turns)


def test_earlier_requests_do_not_count():
    lab = Lab(2, [1, 1, 2, 2])
    assert rotation.one_by_one(lab, "10.10.10.1", 2).sequence == (1, 1)
    assert rotation.one_by_one(lab, "10.10.10.1", 2).sequence == (2, 2)


def test_runs_are_judged_each_by_itself():
    lab = Lab(2, [1, 2, 1, 2, 1, 1, 1, 1])
    runs = experiment.repeat(lab, Settings(replicas=2, requests=4, concurrency=2), "10.10.10.1", times=2)
    assert [run.counts for run in runs] == [(2, 2), (4, 0)]
    assert [run.is_even for run in runs] == [True, False]


def test_requests_that_no_pod_tells_of_are_missed(monkeypatch):
    monkeypatch.setattr(numbered, "TIME_LIMIT", 0.1)
    with pytest.raises(WaitTimeout, match=r"tell of 3 requests(.|\n)*they tell of 0"):
        numbered.found(Lab(2, []), "/round/none", 3)
