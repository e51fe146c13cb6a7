"""systemctl on the bastion: words and exit codes are systemd's."""

import pytest

from calico_lab.errors import LabError
from calico_lab.local.bastion_host.units import answer


class Bird:
    """Stands where the supervised BIRD stands, which needs a host of the lab to run on."""

    def __init__(self):
        self.running = True
        self.refuses = ""
        self.reloads = 0

    async def start(self):
        if self.refuses:
            raise LabError(self.refuses)
        self.running = True

    async def stop(self):
        self.running = False

    async def restart(self):
        await self.stop()
        await self.start()

    async def configure(self):
        self.reloads += 1


@pytest.fixture
def bird():
    return Bird()


async def test_stop_and_start(bird):
    assert (await answer(["stop", "bird"], bird)).exit_code == 0
    assert not bird.running
    assert (await answer(["start", "bird.service"], bird)).exit_code == 0
    assert bird.running


async def test_reload_keeps_bird_running(bird):
    await answer(["reload", "bird"], bird)
    assert (bird.reloads, bird.running) == (1, True)


async def test_a_restart_that_bird_refuses_says_why(bird):
    bird.refuses = "bird: /etc/bird/bird.conf, line 3: syntax error"
    refused = await answer(["restart", "bird"], bird)
    assert refused.exit_code == 1
    assert refused.errors.startswith("Job for bird.service failed")
    assert "line 3: syntax error" in refused.errors


@pytest.mark.parametrize(("running", "expected"), [(True, (0, "active\n")), (False, (3, "inactive\n"))])
async def test_is_active(bird, running, expected):
    bird.running = running
    found = await answer(["is-active", "bird"], bird)
    assert (found.exit_code, found.output) == expected


async def test_status_tells_a_stopped_bird_from_a_running_one(bird):
    running = await answer(["status", "bird"], bird)
    bird.running = False
    stopped = await answer(["status", "bird"], bird)
    assert (running.exit_code, stopped.exit_code) == (0, 3)
    assert "active (running)" in running.output
    assert "inactive (dead)" in stopped.output


@pytest.mark.parametrize(
    ("verb", "code", "words"),
    [
        ("restart", 5, "Failed to restart nginx.service: Unit nginx.service not found.\n"),
        ("status", 4, "Unit nginx.service could not be found.\n"),
    ],
)
async def test_other_units_are_not_there(bird, verb, code, words):
    refused = await answer([verb, "nginx"], bird)
    assert (refused.exit_code, refused.errors) == (code, words)


@pytest.mark.parametrize("arguments", [[], ["daemon-reload"], ["restart"], ["edit", "bird"], ["restart", "bird", "x"]])
async def test_other_verbs_are_refused(bird, arguments):
    refused = await answer(arguments, bird)
    assert refused.exit_code == 1
    assert "stand-in for systemctl" in refused.errors
