import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from calico_lab.local.process import run, spawn


async def test_exit_code():
    assert await spawn(["/bin/sh", "-c", "exit 3"]).wait() == 3


async def test_exit_code_of_a_program_ended_by_a_signal():
    program = spawn(["/bin/sleep", "60"])
    program.signal(signal.SIGKILL)
    assert await program.wait() == -signal.SIGKILL
    assert not program.running


async def test_stop_gives_grace_and_no_more():
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    reading, writing = os.pipe()
    program = spawn([sys.executable, "-c", deaf], stdout=writing)
    os.close(writing)
    with os.fdopen(reading) as output:
        await asyncio.to_thread(output.readline)
    assert await program.stop(0.1) == -signal.SIGKILL


async def test_stop_of_one_that_listens():
    assert await spawn(["/bin/sleep", "60"]).stop(10) == -signal.SIGTERM


async def test_stop_takes_the_whole_group():
    program = spawn(["/bin/sh", "-c", "sleep 60 & wait"])
    await asyncio.sleep(0.1)
    children = _children(program.pid)
    await program.stop(10)
    await asyncio.sleep(0.05)
    assert children
    assert not any(_runs(child) for child in children)


async def test_run_gives_exit_code_and_output_with_the_errors():
    assert await run(["/bin/sh", "-c", "cat; echo problem >&2; exit 2"], stdin=b"given\n") == (2, b"given\nproblem\n")


async def test_run_ends_what_takes_too_long():
    exit_code, output = await run(["/bin/sh", "-c", "echo begun; exec sleep 60"], time_limit=0.2)
    assert (exit_code, output) == (-signal.SIGKILL, b"begun\n")


async def test_nothing_of_the_environment_but_what_is_given(monkeypatch):
    monkeypatch.setenv("OF_THE_LAB", "1")
    _, output = await run(["/usr/bin/env"], environment={"ONLY": "this"})
    assert output == b"ONLY=this\n"


async def test_program_that_does_not_exist():
    with pytest.raises(FileNotFoundError):
        spawn(["/does/not/exist"])


def _children(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
