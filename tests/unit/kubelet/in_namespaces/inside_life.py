"""The lives of containers: init containers, hooks, probes by command, ends of all sorts, exec and attach."""

import asyncio
import json
import time

import pytest
from support.eventually import LIMIT_SECONDS, eventually

from calico_lab.local import resources
from calico_lab.local.kubelet.images import ECHO_BASIC
from calico_lab.local.objects import condition
from calico_lab.local.wire import Request

SH = {"image": "busybox", "env": []}


def script(text, **more):
    return SH | {"command": ["sh", "-c", text]} | more


class Client:
    """The client's end of a WebSocket."""

    def __init__(self, *messages):
        self.given = asyncio.Queue()
        self.got = []
        for message in messages:
            self.given.put_nowait(message)

    async def receive(self):
        return await self.given.get()

    async def send(self, message):
        self.got.append(message)

    async def close(self):
        pass

    def text(self, channel):
        return b"".join(message[1:] for message in self.got if message[0] == channel).decode()

    @property
    def status(self):
        return json.loads(self.text(3) or "{}")


@pytest.fixture
def talk(world):
    """Exec or attach over the API, to the end; returns what the client saw."""

    async def talk(pod, what, *messages, **query):
        pairs = [
            (key, value) for key, values in query.items() for value in ([values] if isinstance(values, str) else values)
        ]
        headers = {
            "authorization": "Bearer a-token-of-the-tests",
            "upgrade": "websocket",
            "connection": "Upgrade",
            "sec-websocket-protocol": "v5.channel.k8s.io",
        }
        path = f"/api/v1/namespaces/default/pods/{pod}/{what}"
        response = await world.server.handle(Request("GET", path, tuple(pairs), headers))
        assert response.status == 101, response.body
        client = Client(*messages)
        await asyncio.wait_for(response.websocket(client), LIMIT_SECONDS)
        return client

    return talk


async def ended(world, name, phase):
    async def so():
        return (await world.status(name)).get("phase") == phase

    await eventually(so)
    return await world.container(name)


async def create(world, name, *containers, **spec):
    """Create a pod of several containers, bound to worker1."""
    containers = [{"name": f"c{number}"} | container for number, container in enumerate(containers)]
    spec = {"nodeName": "worker1", "terminationGracePeriodSeconds": 5, "containers": containers} | spec
    return await world.create(resources.PODS, name, spec=spec)


@pytest.mark.parametrize(
    ("policy", "command", "phase", "reason"),
    [
        ("Never", "exit 0", "Succeeded", "Completed"),
        ("OnFailure", "exit 0", "Succeeded", "Completed"),
        ("Never", "exit 3", "Failed", "Error"),
        ("Never", "kill -9 $$$$", "Failed", "Error"),
    ],
)
async def test_a_pod_that_runs_to_its_end(world, policy, command, phase, reason):
    name = f"{policy}-{phase}-{len(command)}".lower()
    await create(world, name, script(command), restartPolicy=policy)
    container = await ended(world, name, phase)
    code = {"exit 0": 0, "exit 3": 3}.get(command, 137)
    assert (container["state"]["terminated"]["reason"], container["state"]["terminated"]["exitCode"]) == (reason, code)
    assert (container["ready"], container["restartCount"]) == (False, 0)
    ready = condition(await world.get(name), "Ready")
    assert ready["reason"] == {"Succeeded": "PodCompleted", "Failed": "PodFailed"}[phase]


async def test_on_failure_it_is_tried_again_and_its_last_words_are_kept(world):
    await create(world, "trying", script("echo attempt; exit 1"), restartPolicy="OnFailure")
    await world.waiting("trying", "CrashLoopBackOff")
    assert (await world.container("trying"))["restartCount"] == 1
    assert await world.log("trying", previous="true") == "attempt\n"


async def test_a_command_that_is_not_there(world):
    await create(world, "nosuch", SH | {"command": ["nosuch"]}, restartPolicy="Never")
    terminated = (await ended(world, "nosuch", "Failed"))["state"]["terminated"]
    assert (terminated["reason"], terminated["exitCode"]) == ("StartError", 128)


async def test_init_containers_come_first_and_in_order(world):
    volume = {"volumes": [{"name": "v", "emptyDir": {}}]}
    mount = {"volumeMounts": [{"name": "v", "mountPath": "/work"}]}
    init = [
        {"name": "one"} | script("sleep 0.2; echo one >> /work/order", **mount),
        {"name": "two"} | script("echo two >> /work/order", **mount),
    ]
    await create(
        world, "ordered", script("cat /work/order", **mount), initContainers=init, restartPolicy="Never", **volume
    )
    await ended(world, "ordered", "Succeeded")
    assert await world.log("ordered") == "one\ntwo\n"
    states = (await world.status("ordered"))["initContainerStatuses"]
    assert [(state["name"], state["ready"]) for state in states] == [("one", True), ("two", True)]


async def test_while_it_is_initialized_a_pod_is_pending(world):
    await create(world, "slow", SH, initContainers=[{"name": "wait"} | script("sleep 60")])
    await world.waiting("slow", "PodInitializing")
    initialized = condition(await world.get("slow"), "Initialized")
    assert (initialized["status"], initialized["reason"]) == ("False", "ContainersNotInitialized")
    assert initialized["message"] == "containers with incomplete status: [wait]"
    assert (await world.status("slow"))["phase"] == "Pending"
    await world.client.delete(resources.PODS, "slow", "default", grace_seconds=1)


async def test_a_failed_init_container_is_tried_again_or_fails_the_pod(world):
    init = {"initContainers": [{"name": "fail"} | script("exit 1")]}
    await create(world, "hopeless", SH, restartPolicy="Never", **init)
    await ended(world, "hopeless", "Failed")
    await create(world, "hopeful", SH, **init)

    async def so():
        state = ((await world.status("hopeful")).get("initContainerStatuses") or [{}])[0]
        return state.get("state", {}).get("waiting", {}).get("reason") == "CrashLoopBackOff"

    await eventually(so)
    assert (await world.status("hopeful"))["phase"] == "Pending"


async def test_hooks_run_after_the_start_and_before_the_end(world):
    lifecycle = {
        "postStart": {"exec": {"command": ["sh", "-c", "echo started > /tmp/hook"]}},
        "preStop": {"exec": {"command": ["sh", "-c", "echo stopping >> /tmp/hook; sleep 0.5"]}},
    }
    loop = script("trap 'cat /tmp/hook; exit 0' TERM; while true; do sleep 0.05; done", lifecycle=lifecycle)
    await create(world, "hooked", loop)
    await world.ready("hooked")
    begun = asyncio.get_running_loop().time()
    following = asyncio.create_task(world.log("hooked", follow="true"))
    await asyncio.sleep(0.1)
    await world.client.delete(resources.PODS, "hooked", "default")
    await world.gone("hooked")
    assert asyncio.get_running_loop().time() - begun > 0.5
    assert (await following).endswith("started\nstopping\n")


async def test_a_failing_start_hook_ends_the_container(world):
    lifecycle = {"postStart": {"exec": {"command": ["sh", "-c", "echo no; exit 1"]}}}
    await create(world, "unhooked", script("sleep 60", lifecycle=lifecycle), restartPolicy="Never")
    await ended(world, "unhooked", "Failed")
    told = (await world.events("unhooked"))["FailedPostStartHook"]
    assert told == "PostStartHook failed: command 'sh -c echo no; exit 1' exited with 1: no"


async def test_grace_ends_a_program_that_does_not_listen(world):
    await create(world, "stubborn", script("trap '' TERM; while true; do sleep 0.05; done"))
    await world.ready("stubborn")
    await world.client.delete(resources.PODS, "stubborn", "default", grace_seconds=1)
    asked = time.monotonic()
    await world.gone("stubborn")
    assert time.monotonic() - asked > 0.9


async def test_probes_by_command(world, talk):
    probe = {"exec": {"command": ["cat", "/tmp/healthy"]}, "periodSeconds": 1, "failureThreshold": 1}
    await create(world, "probed", script("touch /tmp/healthy; sleep 60", readinessProbe=probe, livenessProbe=probe))
    await world.ready("probed")
    await talk("probed", "exec", command=["rm", "/tmp/healthy"], stdout="true")

    async def so():
        return (await world.container("probed"))["restartCount"] == 1

    await eventually(so)
    assert "probe failed: cat: /tmp/healthy: No such file or directory" in (await world.events("probed"))["Unhealthy"]


async def test_startup_probe_holds_the_others_back(world):
    startup = {"exec": {"command": ["test", "-e", "/tmp/up"]}, "periodSeconds": 1, "failureThreshold": 10}
    await create(world, "rising", script("sleep 0.6; touch /tmp/up; sleep 60", startupProbe=startup))
    await eventually(lambda: _running(world, "rising"))
    assert (await world.container("rising"))["started"] is False
    await world.ready("rising")


async def _running(world, name):
    return "running" in (await world.container(name))["state"]


async def test_environment_of_every_kind(world):
    await world.create(resources.CONFIG_MAPS, "all", data={"A": "1", "B": "2"})
    await world.create(resources.SECRETS, "hidden", stringData={"C": "3"})
    env = [
        {"name": "D", "value": "$(A)+$(P_C)"},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "LIMIT", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}},
    ]
    sources = [{"configMapRef": {"name": "all"}}, {"prefix": "P_", "secretRef": {"name": "hidden"}}]
    container = script(
        "echo $A $B $P_C $D $IP $LIMIT", env=env, envFrom=sources, resources={"limits": {"memory": "64Mi"}}
    )
    await create(world, "environed", container, restartPolicy="Never")
    await ended(world, "environed", "Succeeded")
    address = (await world.status("environed"))["podIP"]
    assert await world.log("environed") == f"1 2 3 1+3 {address} 64\n"


async def test_exec_hands_back_output_errors_and_exit_code(world, talk):
    await create(world, "shell", script("sleep 60"), {"image": ECHO_BASIC})
    await world.ready("shell")
    client = await talk(
        "shell", "exec", command=["sh", "-c", "echo out; echo err >&2; exit 7"], stdout="true", container="c0"
    )
    assert (client.text(1), client.text(2)) == ("out\n", "err\n")
    assert client.status["details"]["causes"] == [{"reason": "ExitCode", "message": "7"}]


async def test_exec_reads_what_it_is_given_to_its_end(world, talk):
    client = await talk(
        "shell", "exec", b"\x00hello", b"\xff\x00", command="cat", stdin="true", stdout="true", container="c0"
    )
    assert (client.text(1), client.status["status"]) == ("hello", "Success")


async def test_exec_on_a_terminal_knows_its_size(world, talk):
    size = b'\x04{"Width":101,"Height":31}'
    command = ["sh", "-c", "read line; stty size; tty"]
    client = await talk(
        "shell", "exec", size, b"\x00\r", command=command, stdin="true", stdout="true", tty="true", container="c0"
    )
    assert "31 101\r\n/dev/pts/" in client.text(1)


async def test_exec_of_what_is_not_there(world, talk):
    client = await talk("shell", "exec", command="nosuch", stdout="true", container="c0")
    assert client.status["message"].endswith('exec: "nosuch": executable file not found in $PATH')


async def test_exec_of_a_client_that_goes_ends_the_command(world, talk):
    client = await talk("shell", "exec", None, command=["sleep", "99"], stdin="true", stdout="true", container="c0")
    assert client.status == {}
    assert "sleep 99" not in await world.run("worker1", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")


async def test_attach_to_an_interactive_container_hears_it_from_its_start(world, talk):
    container = script("echo ready; read name; echo hello $name", stdin=True, stdinOnce=True)
    await create(world, "greeter", container, restartPolicy="Never")
    await world.ready("greeter")
    await asyncio.sleep(0.1)
    client = await talk("greeter", "attach", b"\x00you\n", stdin="true", stdout="true")
    assert (client.text(1), client.status["status"]) == ("ready\nhello you\n", "Success")
    await ended(world, "greeter", "Succeeded")


async def test_what_was_read_from_the_log_is_not_heard_again(world, talk):
    await create(world, "teller", script("echo once; sleep 0.5; echo twice", stdin=True), restartPolicy="Never")
    await eventually(lambda: _running(world, "teller"))
    await asyncio.sleep(0.2)
    assert await world.log("teller") == "once\n"
    client = await talk("teller", "attach", stdout="true")
    assert client.text(1) == "twice\n"
