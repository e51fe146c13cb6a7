"""What the guide's BGP resources, filter edit and restart bring about, in the guide's order, and what follows.

The tests of this file build on each other, as the steps of the guide do.
"""

from support.eventually import eventually
from support.network_world import SESSIONS

from calico_lab.local import resources

CONFIGURATION = {
    "logSeverityScreen": "Info",
    "nodeToNodeMeshEnabled": True,
    "nodeMeshMaxRestartTime": "120s",
    "asNumber": 64512,
    "serviceLoadBalancerIPs": [{"cidr": "10.10.10.0/26"}],
    "listenPort": 179,
    "bindMode": "NodeIP",
}
EDIT = (
    r"sed -i 's/if (net ~ 10.50.0.0\/24) then accept;/if (net ~ 10.50.0.0\/24) then accept;"
    r"\n                        if (net ~ 10.10.10.0\/26) then accept;/g' /etc/bird/bird.conf"
)
FILTER = """\
# Import filter
filter rt_import {
                        if (net ~ 10.48.2.0/24) then accept;
                        if (net ~ 10.49.0.0/16) then accept;
                        if (net ~ 10.50.0.0/24) then accept;
                        if (net ~ 10.10.10.0/26) then accept;
                        reject;
}
"""
ENVOY = "10.10.10.1"


async def test_nodes_know_the_way_to_each_others_pods(world):
    await eventually(world.knows_pod_blocks)
    assert "via 10.0.1.30" in await world.route("worker1", "10.48.2.0/26")
    assert "blackhole" in await world.route("worker1", "10.48.1.0/26")
    assert await world.established("worker1") == ["Mesh_10_0_1_20", "Mesh_10_0_1_30"]


async def test_pods_of_different_nodes_reach_each_other_by_their_own_addresses(world):
    near, far = await world.pod("near", "worker1"), await world.pod("far", "worker2")
    assert await world.ask(near.namespaces, far.address, 3000) == f"far to {near.address}"


async def test_no_session_of_the_bastion_is_up_before_the_bgp_resources(world):
    protocols = await world.birdc("bastion", "show", "protocols")
    assert [line.split()[0] for line in protocols.splitlines()[2:]] == ["direct1", "kernel1", "device1", *SESSIONS]
    assert await world.established() == []


async def test_the_bgp_resources_bring_the_sessions_up(world):
    await _apply_bgp(world)
    await eventually(lambda: _all_established(world))


async def test_mesh_sessions_go_on_through_that(world):
    log = await world.run("worker1", "grep -c 'Mesh_10_0_1_20: Starting' /var/log/bird.log")
    assert log == "1\n"


async def test_an_unedited_filter_keeps_load_balancer_addresses_out(world):
    assert "10.48.2.0/26 via 10.0.1.30" in await world.run("bastion", "ip route")
    assert "10.10.10" not in await world.run("bastion", "ip route")


async def test_the_guides_edit_and_a_restart_bring_the_range_by_all_nodes(world):
    await world.run("bastion", EDIT)
    assert (await world.run("bastion", "grep -A 8 'Import filter' /etc/bird/bird.conf")).startswith(FILTER)
    await world.bird.restart()
    await eventually(lambda: _all_established(world))
    await eventually(lambda: _has_next_hops(world, "10.10.10.0/26", 3))


async def test_nodes_never_route_load_balancer_addresses_themselves(world):
    assert "blackhole" in await world.birdc("worker1", "show", "route", "10.10.10.0/26")
    assert await world.route("worker1", "10.10.10.0/26") == ""


async def test_traffic_takes_the_way_of_the_address_of_a_local_service(world):
    pod = await world.pod("envoy-1", "worker1", port=10080)
    await world.serve("envoy", [pod], address=ENVOY, target=10080, externalTrafficPolicy="Local")
    assert "via 10.0.1.31" in await eventually(lambda: world.route("bastion", f"{ENVOY}/32"))
    await eventually(lambda: _answers(world, "envoy-1"))
    before = world.packets("worker1"), world.packets("worker2")
    answers = {await world.ask(world.hosts["bastion"], ENVOY, 80) for _ in range(20)}
    assert answers == {"envoy-1 to 10.0.1.10"}
    assert world.packets("worker1") - before[0] >= 20 * 8  # each connection is at least eight packets
    assert world.packets("worker2") - before[1] < 20


async def test_the_next_hop_follows_the_pod_to_another_node(world):
    pod = await world.pod("envoy-2", "worker2", port=10080)
    await world.move("envoy", [pod], target=10080)
    await eventually(lambda: _next_hop_is(world, "10.0.1.30"))
    await eventually(lambda: _answers(world, "envoy-2"))
    assert {await world.ask(world.hosts["bastion"], ENVOY, 80) for _ in range(20)} == {"envoy-2 to 10.0.1.10"}


async def test_two_pods_on_two_nodes_are_both_reached(world):
    pods = [await world.pod("envoy-3", "worker1", port=10080), await world.pod("envoy-4", "worker2", port=10080)]
    await world.move("envoy", pods, target=10080)
    await eventually(lambda: _has_next_hops(world, f"{ENVOY}/32", 2))
    await eventually(lambda: _answers(world, "envoy-3"))
    await eventually(lambda: _answers(world, "envoy-4"))
    names = {(await world.ask(world.hosts["bastion"], ENVOY, 80)).split()[0] for _ in range(40)}
    assert names == {"envoy-3", "envoy-4"}


async def test_without_a_ready_pod_the_single_address_is_withdrawn(world):
    await world.move("envoy", [])
    await eventually(lambda: _lacks(world.route("bastion", f"{ENVOY}/32")))
    assert await world.route("bastion", "10.10.10.0/26")


async def test_without_the_peer_no_session_is_up(world):
    await world.client.delete(resources.BGP_PEERS, "my-global-peer")
    await eventually(lambda: _lacks(world.established()))
    assert "10.10.10" not in await world.run("bastion", "ip route")


async def test_a_peer_with_the_wrong_as_number_stays_down(world):
    await _apply_peer(world, asNumber=64513)
    await eventually(lambda: _contains(world.birdc("worker1", "show", "protocols"), "Bad peer AS"))
    assert await world.established() == []


async def test_without_the_mesh_nodes_forget_each_others_pods(world):
    await world.client.patch(
        resources.BGP_CONFIGURATIONS,
        "default",
        "",
        {"spec": {"nodeToNodeMeshEnabled": False, "nodeMeshMaxRestartTime": None}},
    )
    await eventually(lambda: _lacks(world.route("worker1", "10.48.2.0/26")))


async def _apply_bgp(world):
    await world.client.create(resources.BGP_CONFIGURATIONS, {"metadata": {"name": "default"}, "spec": CONFIGURATION})
    await _apply_peer(world, asNumber=64512)


async def _apply_peer(world, **fields):
    spec = {"peerIP": "10.0.1.10"} | fields
    await world.client.create(resources.BGP_PEERS, {"metadata": {"name": "my-global-peer"}, "spec": spec})


async def _all_established(world):
    return await world.established() == list(SESSIONS)


async def _next_hop_is(world, address):
    return f"via {address} " in await world.route("bastion", f"{ENVOY}/32")


async def _answers(world, pod):
    """Whether a pod answers now; a route may be known before the rules behind it are in force."""
    try:
        return (await world.ask(world.hosts["bastion"], ENVOY, 80, limit=0.3)).startswith(pod)
    except (OSError, TimeoutError):
        return False


async def _has_next_hops(world, destination, number):
    return (await world.route("bastion", destination)).count("nexthop") == number


async def _lacks(question):
    return not await question


async def _contains(question, words):
    return words in await question
