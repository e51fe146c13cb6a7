"""Keeps one BIRD (https://bird.network.cz/?get_doc&v=16) running on a host: the bastion's, or a node's."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable
from pathlib import Path

from calico_lab.errors import LabError
from calico_lab.local import process
from calico_lab.local.network.bird_configuration import bastion
from calico_lab.local.network.folders import write_file
from calico_lab.local.process import Process
from calico_lab.local.start.namespaces import Namespaces
from calico_lab.local.start.programs import Programs

logger = logging.getLogger(__name__)

BASTION_CONFIGURATION = Path("/etc/bird/bird.conf")
BASTION_CONTROL_SOCKET = Path("/run/bird/bird.ctl")
NODE_CONFIGURATION = Path("/etc/calico/confd/config/bird.cfg")
NODE_CONTROL_SOCKET = Path("/run/calico/bird.ctl")
LOG = Path("/var/log/bird.log")

START_LIMIT_SECONDS = 5.0
STOP_LIMIT_SECONDS = 2.0
RESTART_SECONDS = 0.1
_LOOK_AGAIN_SECONDS = 0.005
_JUST_AFTER_SECONDS = 0.002


def write_bastion_configuration() -> None:
    """Write the bastion's configuration as the workshop hands it out. Must run inside the bastion's namespaces."""
    write_file(BASTION_CONFIGURATION, bastion())


class Bird:
    """One BIRD, its configuration file and its control socket, whose paths are those inside the host.

    As long as :meth:`run` runs it is started again when it dies, and ``on_end`` then hears why it did; once stopped it
    stays so until it is started.
    """

    def __init__(
        self, host: str, namespaces: Namespaces, programs: Programs, configuration: Path, control_socket: Path
    ) -> None:
        self.on_end: Callable[[str], None] = lambda _why: None
        self._host = host
        self._namespaces = namespaces
        self._programs = programs
        self._configuration = configuration
        self._control_socket = control_socket
        self._process: Process | None = None
        self._changed = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()

    @property
    def running(self) -> bool:
        """Whether BIRD runs now."""
        return self._process is not None and self._process.running

    async def start(self) -> None:
        """Start BIRD and wait until it answers; does nothing when it runs.

        Raises ``LabError`` with BIRD's own words when it does not accept its configuration.
        """
        async with self._one_at_a_time:
            await self._start()

    async def stop(self) -> None:
        """Stop BIRD, which says goodbye to its neighbours and takes its routes out of the kernel."""
        async with self._one_at_a_time:
            await self._stop()

    async def restart(self) -> None:
        """Stop and start, so that every session begins anew. Raises what :meth:`start` raises; BIRD is then stopped."""
        async with self._one_at_a_time:
            await self._stop()
            await self._start()

    async def configure(self) -> None:
        """Let BIRD read its configuration again; sessions whose configuration is the same go on undisturbed.

        Raises ``LabError`` with BIRD's own words when it does not accept the configuration, and goes on with the old.
        """
        command = [str(self._programs.birdc), "-s", str(self._control_socket), "configure"]
        async with self._one_at_a_time:
            _exit_code, output = await process.run(command, inside=self._namespaces)
        answer = output.decode(errors="replace")
        if "Reconfigur" not in answer:
            raise LabError(f"BIRD on {self._host} did not take its configuration: {answer.strip()}")

    async def run(self) -> None:
        """Start BIRD, and again whenever it dies, until cancelled; then stop it. Raises what :meth:`start` raises."""
        ticking = asyncio.create_task(self._tick(), name=f"seconds of BIRD on {self._host}")
        try:
            await self.start()
            while True:
                watched = self._process
                self._changed.clear()
                if watched is None:
                    await self._changed.wait()
                else:
                    await watched.wait()
                    await asyncio.sleep(RESTART_SECONDS)
                    await self._start_again(watched)
        finally:
            ticking.cancel()
            await self.stop()

    async def _tick(self) -> None:
        """Wake BIRD at each full second, so that its timers end when they are due.

        BIRD 1.6 counts whole seconds of the monotonic clock, but then sleeps for as many whole seconds as a timer has
        left, counted from when it falls asleep: without this a session comes up as much as a second later.
        """
        while True:
            await asyncio.sleep(1 - time.monotonic() % 1 + _JUST_AFTER_SECONDS)
            if self.running:
                self._listens()

    async def _start_again(self, dead: Process) -> None:
        if self._process is not dead:
            return  # it was stopped, or restarted, on purpose
        why = process.ending(await dead.wait())
        logger.warning("BIRD on %s ended: %s; starting it again", self._host, why)
        try:
            await self.start()
        except LabError as error:
            logger.warning("%s", error)
            self._process = None
            return
        self.on_end(why)

    async def _start(self) -> None:
        if self.running:
            return
        await self._check_configuration()
        self._process = self._spawn()
        self._changed.set()
        await self._answering(self._process)

    async def _stop(self) -> None:
        stopped, self._process = self._process, None
        if stopped is not None:
            await stopped.stop(STOP_LIMIT_SECONDS)

    async def _check_configuration(self) -> None:
        check = [str(self._programs.bird), "-p", "-c", str(self._configuration)]
        exit_code, output = await process.run(check, inside=self._namespaces)
        if exit_code != 0:
            raise LabError(output.decode(errors="replace").strip())

    def _spawn(self) -> Process:
        bird = [str(self._programs.bird), "-f", "-c", str(self._configuration), "-s", str(self._control_socket)]
        with self._namespaces.entered():
            self._control_socket.parent.mkdir(parents=True, exist_ok=True)
            self._control_socket.unlink(missing_ok=True)
            with LOG.open("ab") as log:
                return process.spawn(bird, stdout=log)

    async def _answering(self, started: Process) -> None:
        try:
            async with asyncio.timeout(START_LIMIT_SECONDS):
                while started.running and not self._listens():  # noqa: ASYNC110 - nothing announces a socket
                    await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        except TimeoutError:
            raise LabError(f"BIRD on {self._host} does not answer after {START_LIMIT_SECONDS:g} s") from None
        if not started.running:
            raise LabError(f"BIRD on {self._host} ended as soon as it was started; see {LOG} there")

    def _listens(self) -> bool:
        with self._namespaces.entered(), socket.socket(socket.AF_UNIX) as control:
            control.setblocking(False)  # a BIRD that hangs must not stop the lab
            return control.connect_ex(str(self._control_socket)) == 0
