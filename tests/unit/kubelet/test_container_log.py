import os
import sys
from contextlib import nullcontext

import pytest

from calico_lab.local.kubelet.container_log import ContainerLog
from calico_lab.local.process import spawn


@pytest.fixture
async def log(tmp_path):
    log = ContainerLog(tmp_path / "0.log", nullcontext)
    yield log
    log.close()


def texts(log):
    return [line.text for line in log.file.lines(0, log.file.place)]


async def test_what_a_program_wrote_is_there_as_soon_as_it_is_asked_for(log):
    with log.writing_ends() as (output, errors):
        os.write(output, b"one\n")
        os.write(errors, b"two\n")
        log.drain()
        assert texts(log) == [b"one\n", b"two\n"]


async def test_reads_more_than_a_pipe_holds_without_being_asked(log):
    script = "import os\nfor n in range(20000): os.write(1, b'%d' % n + b' ' * 60 + b'\\n')"
    with log.writing_ends() as (output, errors):
        program = spawn([sys.executable, "-c", script], stdout=output, stderr=errors)
    assert await program.wait() == 0
    log.end()
    assert [int(text) for text in texts(log)] == list(range(20000))


async def test_end_takes_what_is_left(log):
    with log.writing_ends() as (output, _):
        os.write(output, b"without an end")
    log.end()
    assert texts(log) == [b"without an end"]
    assert log.file.ended
