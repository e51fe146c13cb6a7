"""Pods as they live and die on a node."""

import asyncio
import json
import os
from pathlib import Path

import pytest
from support.eventually import eventually

from calico_lab.local import resources
from calico_lab.local.kubelet.images import ENVOY
from calico_lab.local.objects import condition
from calico_lab.local.start import programs

TOKEN_FOLDER = "/run/secrets/kubernetes.io/serviceaccount"  # behind /var/run, a link


async def test_nodes_register_ready(world):
    async def so():
        nodes, _ = await world.client.list(resources.NODES)
        return [condition(node, "Ready").get("reason") for node in nodes] == ["KubeletReady"] * 3

    await eventually(so)


async def test_four_pods_become_ready(world):
    names = [f"backend-{number}" for number in range(4)]
    for number, name in enumerate(names):
        await world.pod(name, f"worker{number % 2 + 1}")
    await world.ready(*names)
    assert {(await world.status(name))["phase"] for name in names} == {"Running"}


async def test_ready_pod_answers_and_its_log_has_the_request(world):
    assert (await world.echo("backend-0", "/round?a=1"))["pod"] == "backend-0"
    lines = (await world.log("backend-0")).splitlines()
    assert len(lines) == 3
    assert lines[2].startswith("Echoing back request made to /round?a=1 to client (10.0.1.31:")


async def test_last_lines_with_times(world):
    [line] = (await world.log("backend-0", tailLines="1", timestamps="true")).splitlines()
    assert line[:2] == "20"
    assert line[30:].startswith("Z Echoing") or line[29:].startswith("Z Echoing")


async def test_status_of_a_running_pod(world):
    status = await world.status("backend-0")
    container = status["containerStatuses"][0]
    assert (status["podIP"], status["hostIP"], status["qosClass"]) == ("10.48.1.0", "10.0.1.31", "BestEffort")
    assert (container["ready"], container["started"], container["restartCount"]) == (True, True, 0)
    assert set(container["state"]) == {"running"}


async def test_events_tell_the_story(world):
    await eventually(lambda: _has_event(world, "backend-0", "Started"))
    events = await world.events("backend-0")
    assert events["Pulled"].endswith("already present on machine")
    assert events["Created"] == "Created container: backend"
    assert events["Started"] == "Started container backend"


async def test_container_sees_its_own_files_and_environment(world):
    pid = _pid("backend-0")
    environment = dict(line.split("=", 1) for line in _read(f"/proc/{pid}/environ").strip("\0").split("\0"))
    others = {name for name in environment if not name.startswith("KUBERNETES_")}
    assert others == {"PATH", "HOSTNAME", "POD_NAME"}
    assert environment["KUBERNETES_SERVICE_PORT_HTTPS"] == "443"
    assert _read(f"/proc/{pid}/root{TOKEN_FOLDER}/ca.crt") == "the CA"
    assert _read(f"/proc/{pid}/root{TOKEN_FOLDER}/namespace") == "default"
    assert _read(f"/proc/{pid}/root/etc/hostname") == "backend-0\n"
    assert _names(f"/proc/{pid}/root/var/lib/kubelet") == []


async def test_token_is_good_for_the_api_server(world):
    token = _read(f"/proc/{_pid('backend-0')}/root{TOKEN_FOLDER}/token")
    client = type(world.client)(world.server.handle, token=token)
    assert (await client.get(resources.PODS, "backend-0", "default"))["kind"] == "Pod"


async def test_unknown_image(world):
    await world.pod("ghost", image="ghost:1")
    message = await world.waiting("ghost", "ErrImagePull")
    assert (
        'the local lab does not have the image "ghost:1"; it has: docker.io/curlimages/curl, docker.io/envoyproxy/envoy'
        in message
    )
    assert await world.log("ghost") == 'container "backend" in pod "ghost" is waiting to start: image can\'t be pulled'
    assert (await world.waiting("ghost", "ImagePullBackOff")).startswith('Back-off pulling image "ghost:1"')
    assert (await world.status("ghost"))["phase"] == "Pending"


@pytest.mark.parametrize("refused", [{"command": ["/bin/sh"]}, {"args": ["--help"]}])
async def test_image_runs_its_own_program_and_nothing_else(world, refused):
    name = f"refused-{next(iter(refused))}"
    await world.pod(name, **refused)
    assert "the local lab" in await world.waiting(name, "CreateContainerError")


async def test_missing_config_map_key_then_there(world):
    reference = {"configMapKeyRef": {"name": "late", "key": "colour"}}
    await world.pod("patient", env=[{"name": "POD_NAME", "valueFrom": reference}])
    assert await world.waiting("patient", "CreateContainerConfigError") == 'configmap "late" not found'
    await world.create(resources.CONFIG_MAPS, "late", data={"colour": "blue"})
    await world.ready("patient")
    assert (await world.echo("patient"))["pod"] == "blue"


async def test_volume_waits_for_its_config_map_and_follows_it(world):
    volume = {"name": "v", "configMap": {"name": "settings"}}
    await world.pod("reader", volumes=[volume], volumeMounts=[{"name": "v", "mountPath": "/etc/settings"}])
    await asyncio.sleep(0.1)
    assert (await world.status("reader"))["phase"] == "Pending"
    await world.create(resources.CONFIG_MAPS, "settings", data={"colour": "blue"})
    await world.ready("reader")
    path = f"/proc/{_pid('reader')}/root/etc/settings/colour"
    assert _read(path) == "blue"
    await world.client.patch(resources.CONFIG_MAPS, "settings", "default", {"data": {"colour": "red"}})
    await eventually(lambda: _holds(path, "red"))


async def test_container_that_ends_is_started_again_and_then_less_and_less_often(world):
    await world.pod("crashing", env=[{"name": "HTTP_PORT", "value": "nonsense"}])
    message = await world.waiting("crashing", "CrashLoopBackOff")
    assert message.startswith("back-off 10s restarting failed container=backend pod=crashing_default(")
    container = await world.container("crashing")
    assert (container["restartCount"], container["lastState"]["terminated"]["reason"]) == (1, "Error")
    assert container["lastState"]["terminated"]["exitCode"] == 2  # that of a Go program that panics
    assert "panic: Failed to start listening" in await world.log("crashing", previous="true")


async def test_killed_container_comes_back(world):
    await world.pod("killed")
    await world.ready("killed")
    os.kill(_pid("killed"), 9)

    async def again():
        container = await world.container("killed")
        return container["restartCount"] == 1 and container["ready"]

    await eventually(again)
    assert (await world.container("killed"))["lastState"]["terminated"]["exitCode"] == 137


async def test_liveness_probe_restarts(world):
    probe = {"httpGet": {"path": "/status/500", "port": 3000}, "periodSeconds": 1, "failureThreshold": 1}
    await world.pod("sick", livenessProbe=probe)
    await eventually(lambda: _restarted(world, "sick"))
    await eventually(lambda: _has_event(world, "sick", "Unhealthy"))
    assert (await world.events("sick"))["Unhealthy"] == "Liveness probe failed: HTTP probe failed with statuscode: 500"


async def test_readiness_probe_decides(world):
    probe = {"httpGet": {"path": "/status/503", "port": 3000}, "periodSeconds": 1}
    await world.pod("shy", readinessProbe=probe)
    await eventually(lambda: _runs(world, "shy"))
    await asyncio.sleep(0.3)
    ready = condition(await world.get("shy"), "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "ContainersNotReady")
    assert ready["message"] == "containers with unready status: [backend]"


async def test_envoy_follows_a_config_map(world):
    await world.create(resources.CONFIG_MAPS, "xds", data=_xds("one"))
    bootstrap = {"dynamic_resources": {"lds_config": _source("lds.json"), "cds_config": _source("cds.json")}}
    await world.pod(
        "envoy",
        volumes=[{"name": "xds", "configMap": {"name": "xds"}}],
        image=ENVOY,
        env=[{"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        args=["--service-cluster", "c", "--service-node", "$(NAME)", "--config-yaml", json.dumps(bootstrap)],
        volumeMounts=[{"name": "xds", "mountPath": "/etc/envoy/xds"}],
        readinessProbe={"httpGet": {"path": "/", "port": 3000}, "periodSeconds": 5},
    )
    await world.ready("envoy")
    assert await world.ask("envoy", "/") == "one"
    await world.client.patch(resources.CONFIG_MAPS, "xds", "default", {"data": _xds("two")})

    async def so():
        return await world.ask("envoy", "/") == "two"

    await eventually(so)
    assert "--service-node\0envoy\0" in _read(f"/proc/{_pid('envoy')}/cmdline")


async def test_deleted_pod_goes_and_leaves_nothing(world):
    pid = _pid("backend-1")
    status = await world.status("backend-1")
    await world.client.delete(resources.PODS, "backend-1", "default")
    await world.gone("backend-1")
    assert not _read(f"/proc/{pid}/cmdline")
    assert status["podIP"] not in await world.run("worker2", "ip route")
    assert "backend-1" not in await world.run("worker2", "ls /var/log/pods")


async def test_pod_deleted_by_force_is_stopped(world):
    pid, address = _pid("backend-3"), (await world.status("backend-3"))["podIP"]
    await world.client.delete(resources.PODS, "backend-3", "default", grace_seconds=0)
    await world.gone("backend-3")

    async def so():
        routes = await world.run("worker2", "ip route")
        return address not in routes and not _read(f"/proc/{pid}/cmdline")

    await eventually(so)


async def test_every_request_is_counted_under_load(world):
    before = len((await world.log("backend-2")).splitlines())
    address = (await world.status("backend-2"))["podIP"]
    report = await world.run("worker1", f"{programs.find().hey} -n 10000 -c 100 http://{address}:3000/round")
    assert "[200]\t10000 responses" in report
    assert len((await world.log("backend-2")).splitlines()) == before + 10000

    return programs.find().hey


def _source(name):
    folder = "/etc/envoy/xds"
    source = {"path": f"{folder}/{name}", "watched_directory": {"path": folder}}
    return {"resource_api_version": "V3", "path_config_source": source}


def _xds(answer):
    manager = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    response = {"status": 200, "body": {"inline_string": answer}}
    hosts = [{"name": "v", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "direct_response": response}]}]
    router = {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}
    config = {
        "@type": manager,
        "stat_prefix": "s",
        "route_config": {"virtual_hosts": hosts},
        "http_filters": [{"name": "router", "typed_config": router}],
    }
    listener = {
        "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
        "name": "http",
        "address": {"socket_address": {"address": "0.0.0.0", "port_value": 3000}},
        "filter_chains": [{"filters": [{"name": "http", "typed_config": config}]}],
    }
    return {"lds.json": json.dumps({"resources": [listener]}), "cds.json": json.dumps({"resources": []})}


def _pid(name):
    """Return the process of a pod's container: the one whose host name is the pod's."""
    for folder in Path("/proc").glob("[0-9]*"):
        if f"HOSTNAME={name}\0" in _read(folder / "environ"):
            return int(folder.name)
    raise AssertionError(f"no process of {name}")


def _names(folder):
    return [path.name for path in Path(folder).iterdir()]


async def _restarted(world, name):
    return (await world.container(name))["restartCount"] > 0


async def _runs(world, name):
    return "running" in (await world.container(name))["state"]


async def _has_event(world, name, reason):
    return reason in await world.events(name)


async def _holds(path, text):
    return _read(path) == text


def _read(path):
    try:
        return Path(path).read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
