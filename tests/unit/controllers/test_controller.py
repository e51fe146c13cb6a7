import asyncio

import pytest
from support.eventually import LIMIT_SECONDS

from calico_lab import errors
from calico_lab.local.client import ApiClient
from calico_lab.local.controller import Controller, Key, Queue
from calico_lab.local.controllers import all_controllers
from calico_lab.local.events import EventRecorder
from calico_lab.local.informer import shared_informer
from calico_lab.local.objects import contains
from calico_lab.local.resources import CONFIG_MAPS, EVENTS, NODES

TOKEN = "a-token-of-the-tests"


class Recording(Controller):
    name = "recording"

    def __init__(self, client):
        super().__init__(client)
        self.config_maps = self.inform(CONFIG_MAPS)
        self.seen = []
        self.news = asyncio.Event()

    async def reconcile(self, key):
        self.seen.append(key.name)
        self.news.set()


def config_map(name, **data):
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


async def told(controller):
    async with asyncio.timeout(LIMIT_SECONDS):
        await controller.news.wait()
    controller.news.clear()
    return controller.seen[-1]


async def test_it_reconciles_what_was_there_before_it(client, running):
    await client.create(CONFIG_MAPS, config_map("a"))
    controller = Recording(client)
    await running(controller)
    assert await told(controller) == "a"


async def test_it_reconciles_what_changes(client, running):
    controller = Recording(client)
    await running(controller)
    await client.create(CONFIG_MAPS, config_map("a"))
    assert await told(controller) == "a"
    await client.delete(CONFIG_MAPS, "a", "default")
    assert await told(controller) == "a"


class RecordingAllButStatus(Recording):
    def __init__(self, client):
        super().__init__(client)
        self.nodes = self.inform(NODES, but_status=True)


async def test_a_change_of_the_status_alone_can_be_left_out(client, running):
    node = await client.create(NODES, {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}})
    controller = RecordingAllButStatus(client)
    await running(controller)
    assert await told(controller) == "a"
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    told_of_it = await controller.write_status(controller.nodes, node, ready)
    assert controller.seen == ["a"]
    await controller.change(controller.nodes, told_of_it, {"metadata": {"labels": {"disk": "fast"}}})
    assert await told(controller) == "a"
    assert controller.seen == ["a", "a"]


async def test_a_writer_sees_its_own_writes(client, running):
    controller = Recording(client)
    await running(controller)
    for number in range(20):
        await controller.create(controller.config_maps, config_map(f"c{number}"))
        assert len(list(controller.config_maps)) == number + 1


async def test_a_change_of_something_older_is_a_conflict(client, running):
    controller = Recording(client)
    await running(controller)
    old = await controller.create(controller.config_maps, config_map("a"))
    await controller.change(controller.config_maps, old, {"data": {"k": "1"}})
    with pytest.raises(errors.Conflict):
        await controller.change(controller.config_maps, old, {"data": {"k": "2"}})


async def test_a_change_that_changes_nothing_is_not_written(client, running):
    controller = Recording(client)
    await running(controller)
    item = await controller.create(controller.config_maps, config_map("a", k="1"))
    assert await controller.change(controller.config_maps, item, {"data": {"k": "1"}}) is item


async def test_when_one_of_two_ends_the_other_keeps_its_mirror(client, running):
    first, second = Recording(client), Recording(client)
    assert first.config_maps is second.config_maps
    task = asyncio.create_task(first.run())
    await first.config_maps.synced.wait()
    await running(second)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await client.create(CONFIG_MAPS, config_map("a"))
    assert await told(second) == "a"
    assert first.seen == []


async def test_two_controllers_need_one_watch(client, running):
    watched = []

    async def counting(request):
        if request.parameter("watch"):
            watched.append(request.path)
        return await client._handler(request)

    other = ApiClient(counting, token=TOKEN)
    first, second = Recording(other), Recording(other)
    await running(first, second)
    await client.create(CONFIG_MAPS, config_map("a"))
    assert [await told(first), await told(second)] == ["a", "a"]
    assert watched == ["/api/v1/configmaps"]


async def test_one_that_starts_late_hears_of_what_is_mirrored_already(client, running):
    first, second = Recording(client), Recording(client)
    await running(first)
    await client.create(CONFIG_MAPS, config_map("a"))
    await told(first)
    await running(second)
    assert await told(second) == "a"


async def test_a_second_set_of_controllers_that_comes_and_goes_does_no_harm(cluster, client):
    cluster.kubelets.held = True
    for step in range(12):
        others = [asyncio.create_task(each.run()) for each in all_controllers(client)]
        await cluster.deploy(f"b{step}", replicas=2)
        for _ in range(step):
            await asyncio.sleep(0)
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
    cluster.kubelets.release()
    for step in range(12):
        await cluster.ready(2, app=f"b{step}")


async def test_informers_of_two_clients_are_two(client):
    assert shared_informer(client, CONFIG_MAPS) is shared_informer(client, CONFIG_MAPS)
    assert shared_informer(client, CONFIG_MAPS) is not shared_informer(ApiClient(client._handler), CONFIG_MAPS)


async def test_what_fails_is_tried_again():
    attempts = []

    async def fail_twice(key):
        attempts.append(key)
        if len(attempts) < 3:
            raise errors.Conflict("somebody was faster")

    queue = Queue("failing", fail_twice)
    queue.add(Key("", "a"))
    task = asyncio.create_task(queue.run())
    await asyncio.sleep(0.1)
    task.cancel()
    assert attempts == [Key("", "a")] * 3


async def test_a_key_waits_once_in_the_queue():
    seen = []

    async def note(key):
        seen.append(key.name)

    queue = Queue("noting", note)
    for name in "abaab":
        queue.add(Key("", name))
    task = asyncio.create_task(queue.run())
    await asyncio.sleep(0.01)
    task.cancel()
    assert seen == ["a", "b"]


async def test_a_repeated_event_is_counted(client):
    item = await client.create(CONFIG_MAPS, config_map("a"))
    recorder = EventRecorder(client, "tests", host="worker1")
    for message in ("same", "same", "other", "same"):
        await recorder.event(item, "Warning", "Trying", message)
    found = {event["message"]: event for event in (await client.list(EVENTS, "default"))[0]}
    assert {message: event["count"] for message, event in found.items()} == {"same": 3, "other": 1}
    assert found["same"]["source"] == {"component": "tests", "host": "worker1"}
    assert found["same"]["involvedObject"]["uid"] == item["metadata"]["uid"]


async def test_events_are_listed_in_the_order_in_which_they_happened(client):
    item = await client.create(CONFIG_MAPS, config_map("a"))
    recorder, messages = EventRecorder(client, "tests"), [f"step {step}" for step in "zayb"]
    for message in messages:
        await recorder.event(item, "Normal", "Step", message)
    assert [event["message"] for event in (await client.list(EVENTS, "default"))[0]] == messages


async def test_an_event_that_cannot_be_written_disturbs_nobody(client):
    item = config_map("a") | {"metadata": {"name": "a", "namespace": "nowhere", "uid": "u"}}
    await EventRecorder(client, "tests").event(item, "Normal", "Said", "into the void")


@pytest.mark.parametrize(
    ("actual", "wanted", "expected"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": 1}, {"b": None}, True),
        ({"b": 1}, {"b": None}, False),
        ({"a": [{"x": 1, "default": 2}]}, {"a": [{"x": 1}]}, True),
        ({"a": [1, 2]}, {"a": [1]}, False),
        ({"a": "x"}, {"a": {"b": 1}}, False),
    ],
)
def test_contains(actual, wanted, expected):
    assert contains(actual, wanted) is expected
