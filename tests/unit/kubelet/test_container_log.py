import os
import sys
from contextlib import nullcontext

import pytest

from calico_lab.local.kubelet.container_log import ContainerLog
from calico_lab.local.kubelet.program_ends import ProgramEnds
from calico_lab.local.process import spawn


@pytest.fixture
async def log(tmp_path):
    log = ContainerLog(tmp_path / "0.log", nullcontext)
    yield log
    log.close()


def writing_ends(log):
    ends = ProgramEnds.open(stdin=False, terminal=False)
    for stream, descriptor in ends.outputs.items():
        log.read(descriptor, stream)
    return ends.program


def texts(log):
    return [line.text for line in log.file.lines(0, log.file.place)]


async def test_what_a_program_wrote_is_there_as_soon_as_it_is_asked_for(log):
    _, output, errors = writing_ends(log)
    os.write(output, b"one\n")
    os.write(errors, b"two\n")
    log.drain()
    assert texts(log) == [b"one\n", b"two\n"]


async def test_reads_more_than_a_pipe_holds_without_being_asked(log):
    script = "import os\nfor n in range(20000): os.write(1, b'%d' % n + b' ' * 60 + b'\\n')"
    _, output, errors = writing_ends(log)
    program = spawn([sys.executable, "-c", script], stdout=output, stderr=errors)
    assert await program.wait() == 0
    log.end()
    assert [int(text) for text in texts(log)] == list(range(20000))


async def test_end_takes_what_is_left(log):
    _, output, _ = writing_ends(log)
    os.write(output, b"without an end")
    log.end()
    assert texts(log) == [b"without an end"]
    assert log.file.ended


async def test_listeners_hear_what_is_read(log):
    heard = []
    log.listen(lambda stream, data: heard.append((stream, data)))
    _, _, errors = writing_ends(log)
    os.write(errors, b"no line end")
    log.drain()
    assert heard == [("stderr", b"no line end")]
