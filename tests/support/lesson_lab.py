"""The lab of a lesson, for tests that make a learner's mistakes in it and look what the lesson's checks say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Self

from calico_lab import connect, course_notebooks
from calico_lab.lab import Lab
from calico_lab.lessons.steps import GATEWAY
from support.eventually import wait_until
from support.labs import RunningLab, calico_lab, running_lab


class LessonLab:
    """A lab that runs: ``running`` is seen from outside, ``lab`` as by the learner."""

    def __init__(self, running: RunningLab) -> None:
        self.running = running
        self.lab: Lab = connect(running.kubeconfig)

    @classmethod
    @contextmanager
    def started(cls, name: str, begin: str) -> Iterator[Self]:
        """Start one, after the step of the guide that the lesson begins with."""
        with running_lab(name) as lab:
            calico_lab("reset", "--name", lab.name, "--to", begin)
            yield cls(lab)

    @cached_property
    def address(self) -> str:
        """The address of the guide's Gateway."""
        address: str = self.lab.cluster.get("Gateway", GATEWAY)["status"]["addresses"][0]["value"]
        return address

    def until(self, step: str, key: str) -> None:
        """Wait until the check of a step tells a key, or without one that it is done."""
        wait_until(lambda: self.lab.check(step), lambda verdict: verdict.key == key and (key or verdict))


def applied_in(lesson: str, cell: str) -> str:
    """Return what a cell of a lesson applies: all of it but the magic."""
    source = next(each.source for each in course_notebooks.code_cells(lesson) if each.name == cell)
    return source.partition("\n")[2] + "\n"
