"""Hosts and pods as such: what each has for itself, how they reach each other, which addresses pods get."""

import asyncio
import os

import pytest

from calico_lab.errors import LabError
from calico_lab.local import process
from calico_lab.local.network.pods import PodNetwork
from calico_lab.local.topology import HOSTS, WORKER2


async def test_a_host_knows_its_name_and_the_others(world):
    told = await world.run("worker1", "hostname; cat /etc/hostname; getent hosts control1")
    assert told.split() == ["worker1", "worker1", "10.0.1.20", "control1"]


@pytest.mark.parametrize("folder", ["/etc", "/root", "/run", "/tmp", "/var/log"])
async def test_what_one_host_writes_no_other_sees(world, folder):
    await world.run("bastion", f"echo mine > {folder}/note")
    assert await world.run("bastion", f"cat {folder}/note") == "mine\n"
    assert "No such file" in await world.run("worker1", f"cat {folder}/note")
    assert not os.path.exists(f"{folder}/note")  # noqa: ASYNC240, PTH110 - in the lab's first process


async def test_the_programs_can_still_be_run_where_home_is_private(world):
    assert "Python 3." in await world.run("bastion", f"{world.programs.python} --version")


async def test_only_nodes_forward(world):
    forwards = {host.name: (await world.run(host.name, "cat /proc/sys/net/ipv4/ip_forward")).strip() for host in HOSTS}
    assert forwards == {"bastion": "0", "control1": "1", "worker1": "1", "worker2": "1"}


async def test_what_is_outside_the_lab_is_refused_at_once(world):
    pod = await world.pod("curious", "worker1")
    with pytest.raises(OSError, match="Errno 101"):  # network is unreachable
        await world.ask(pod.namespaces, "192.0.2.1", 80, limit=0.5)


async def test_a_pod_has_a_host_name_a_gateway_and_one_address(world):
    pod = await world.pod("neat", "worker1")
    assert await _inside(pod, "hostname; cat /etc/hostname") == "neat\nneat\n"
    assert f"{pod.address}\tneat" in await _inside(pod, "cat /etc/hosts")
    assert "via 169.254.1.1 dev eth0" in await _inside(pod, "ip route")
    assert f"inet {pod.address}/32" in await _inside(pod, "ip address show eth0")


async def test_a_new_pod_answers_its_first_packet_at_once(world):
    pod, other = await world.pod("early", "worker1"), await world.pod("late", "worker1")
    begun = asyncio.get_running_loop().time()
    assert await world.ask(other.namespaces, pod.address, 3000) == f"early to {other.address}"
    assert asyncio.get_running_loop().time() - begun < 0.2  # proxy ARP waits up to 0.8 s by default


async def test_addresses_ascend_and_released_ones_come_last(world):
    network = PodNetwork(WORKER2, world.hosts["worker2"])
    first = [network.attach(f"first-{number}", lambda: None)[1] for number in range(3)]
    network.detach(first[0])
    later = [network.attach(f"later-{number}", lambda: None)[1] for number in range(62)]
    assert [str(address) for address in first] == ["10.48.2.0", "10.48.2.1", "10.48.2.2"]
    assert [str(later[0]), str(later[-2]), str(later[-1])] == ["10.48.2.3", "10.48.2.63", "10.48.2.0"]
    with pytest.raises(LabError, match=r"worker2 has no pod address left in 10\.48\.2\.0/26"):
        network.attach("one-too-many", lambda: None)


async def test_a_detached_pods_link_is_gone(world):
    network = world.networks["control1"]
    _pod, address = network.attach("brief", lambda: None)
    assert "cali" in await world.run("control1", "ip route")
    network.detach(address)
    assert "cali" not in await world.run("control1", "ip route; ip link")


async def test_a_pod_whose_preparation_fails_leaves_nothing(world):
    def fail():
        raise OSError("no such volume")

    network = world.networks["control1"]
    with pytest.raises(OSError, match="no such volume"):
        network.attach("unlucky", fail)
    assert "cali" not in await world.run("control1", "ip link")
    assert await world.run("control1", "hostname") == "control1\n"


async def _inside(pod, command):
    _exit_code, output = await process.run(["/bin/sh", "-c", command], inside=pod.namespaces)
    return output.decode()
