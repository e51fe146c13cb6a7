from contextlib import nullcontext

import pytest

from calico_lab import errors
from calico_lab.local.kubelet.container_log import ContainerLog
from calico_lab.local.kubelet.log_server import LogOptions, choose_log, stream
from calico_lab.local.kubelet.status import ContainerState, terminated
from calico_lab.local.wire import Request

ENDED = terminated(1, "Error", "2026-11-24T00:00:00Z", "calico-lab://1")


@pytest.fixture
async def log(tmp_path):
    log = ContainerLog(tmp_path / "0.log", nullcontext)
    log.file.append("stdout", b"".join(b"line %d\n" % number for number in range(10)))
    yield log
    log.close()


async def read(log, **query):
    options = LogOptions.of(Request("GET", "/", tuple(query.items())))
    return b"".join([piece async for piece in stream(log, options)])


async def test_all_of_it(log):
    assert (await read(log)).count(b"\n") == 10


async def test_last_lines(log):
    assert await read(log, tailLines="2") == b"line 8\nline 9\n"
    assert await read(log, tailLines="0") == b""


async def test_first_bytes(log):
    assert await read(log, limitBytes="10") == b"line 0\nlin"


async def test_times_in_front(log):
    time, text = (await read(log, timestamps="true", tailLines="1")).split(b" ", 1)
    assert text == b"line 9\n"
    assert await read(log, sinceTime=time.decode()) == await read(log)
    assert await read(log, sinceTime="2126-01-01T00:00:00Z") == b""


async def test_since_seconds(log):
    assert (await read(log, sinceSeconds="60")).count(b"\n") == 10


async def test_follow_goes_on_until_the_container_ends(log):
    following = stream(log, LogOptions(follow=True, tail_lines=1))
    assert await anext(following) == b"line 9\n"
    log.file.append("stdout", b"line 10\n")
    assert await anext(following) == b"line 10\n"
    log.file.end()
    assert await anext(following, None) is None


@pytest.mark.parametrize(("name", "value"), [("tailLines", "-1"), ("limitBytes", "0"), ("sinceTime", "soon")])
def test_nonsense_is_refused(name, value):
    with pytest.raises(errors.BadRequest):
        LogOptions.of(Request("GET", "/", ((name, value),)))


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("ContainerCreating", "ContainerCreating"),
        ("ErrImagePull", "image can't be pulled"),
        ("ImagePullBackOff", "trying and failing to pull image"),
    ],
)
def test_container_that_never_ran(reason, words):
    state = ContainerState("backend", "x", {"waiting": {"reason": reason}})
    with pytest.raises(errors.BadRequest, match=f'container "backend" in pod "p" is waiting to start: {words}'):
        choose_log("p", state, [], previous=False)


def test_previous_is_the_run_before():
    running = ContainerState("backend", "x", {"running": {}}, ENDED)
    waiting = ContainerState("backend", "x", {"waiting": {}}, ENDED)
    assert choose_log("p", running, ["old", "new"], previous=True) == "old"
    assert choose_log("p", waiting, ["old", "new"], previous=True) == "new"
    assert choose_log("p", waiting, ["old", "new"], previous=False) == "new"


def test_no_previous_run():
    state = ContainerState("backend", "x", {"running": {}})
    with pytest.raises(errors.BadRequest, match='previous terminated container "backend" in pod "p" not found'):
        choose_log("p", state, ["only"], previous=True)
