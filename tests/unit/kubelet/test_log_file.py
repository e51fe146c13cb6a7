import asyncio
import re
from contextlib import nullcontext

import pytest
from support.eventually import LIMIT_SECONDS

from calico_lab.local.kubelet import log_file
from calico_lab.local.kubelet.log_file import LogFile


@pytest.fixture
async def log(tmp_path):
    log = LogFile(tmp_path / "pod/backend/0.log", nullcontext)
    yield log
    log.close()


def texts(log, place=0):
    return [line.text for line in log.lines(place, log.place)]


async def test_lines_come_back_as_they_were_written(log):
    log.append("stdout", b"one\ntwo\n")
    log.append("stderr", b"three\r\n\n")
    assert texts(log) == [b"one\n", b"two\n", b"three\r\n", b"\n"]


async def test_file_is_in_the_format_of_the_cri(log, tmp_path):
    log.append("stderr", b"one\n")
    text = (tmp_path / "pod/backend/0.log").read_text()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z stderr F one\n", text)


async def test_line_is_whole_before_it_is_there(log):
    log.append("stdout", b"o")
    assert texts(log) == []
    log.append("stdout", b"ne\nt")
    assert texts(log) == [b"one\n"]


async def test_last_line_without_an_end_comes_with_the_end(log):
    log.append("stdout", b"one\ntwo")
    log.end()
    assert b"".join(texts(log)) == b"one\ntwo"


async def test_long_line_is_kept_in_parts(log):
    log.append("stdout", b"x" * 40_000)
    log.append("stdout", b"y\n")
    assert b"".join(texts(log)) == b"x" * 40_000 + b"y\n"


async def test_old_lines_are_dropped_in_the_end(log, monkeypatch):
    monkeypatch.setattr(log_file, "FILE_BYTES", 1000)
    for number in range(100):
        log.append("stdout", b"line %d\n" % number)
    kept = texts(log)
    assert kept[-1] == b"line 99\n"
    assert 20 < len(kept) < 50
    assert kept == [b"line %d\n" % number for number in range(100 - len(kept), 100)]


async def test_follower_hears_every_line_once_across_files(log, monkeypatch):
    monkeypatch.setattr(log_file, "FILE_BYTES", 1000)

    async def follow():
        return [line.text async for line in log.follow(log.place)]

    following = asyncio.create_task(follow())
    await asyncio.sleep(0)
    for number in range(100):
        log.append("stdout", b"line %d\n" % number)
        await asyncio.sleep(0)
    log.end()
    assert await following == [b"line %d\n" % number for number in range(100)]


async def test_follower_of_a_log_that_is_closed_comes_to_its_end(log):
    following = asyncio.create_task(anext(log.follow(log.place), None))
    await asyncio.sleep(0)
    log.close()
    assert await asyncio.wait_for(following, LIMIT_SECONDS) is None
