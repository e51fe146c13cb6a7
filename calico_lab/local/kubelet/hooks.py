"""A container's lifecycle hooks: postStart and preStop, by exec, httpGet or sleep.

https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/
"""

from __future__ import annotations

import asyncio

from calico_lab.errors import LabError
from calico_lab.local.kubelet.commands import Commands
from calico_lab.local.kubelet.probes import ProbeFailed, Prober
from calico_lab.local.wire import JsonObject


class HookFailed(LabError):
    """A hook did not do its work; the message says why."""


async def run_hook(hook: JsonObject, container: JsonObject, commands: Commands, prober: Prober) -> None:
    """Run a hook to its end. Raises :class:`HookFailed`."""
    if "sleep" in hook:
        await asyncio.sleep(hook["sleep"]["seconds"])
    elif "exec" in hook:
        arguments = hook["exec"]["command"]
        try:
            exit_code, output = await commands.run(arguments)
        except OSError as error:
            raise HookFailed(str(error)) from error
        if exit_code != 0:
            said = output.decode(errors="replace").strip()
            raise HookFailed(f"command '{' '.join(arguments)}' exited with {exit_code}: {said}")
    elif "httpGet" in hook:
        try:
            await prober.attempt({"httpGet": hook["httpGet"]}, container)
        except ProbeFailed as failure:
            raise HookFailed(str(failure)) from failure
    else:
        raise HookFailed("the local lab implements exec, httpGet and sleep hooks alone")
