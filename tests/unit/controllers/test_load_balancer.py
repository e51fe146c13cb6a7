import asyncio
import json

import pytest
from support.eventually import eventually

from calico_lab.local.controllers.load_balancer import addresses_of
from calico_lab.local.resources import IP_POOLS, SERVICES

ADDRESSES = "projectcalico.org/loadBalancerIPs"
POOLS = "projectcalico.org/ipv4pools"


async def pool(cluster, name="pool", cidr="10.10.10.0/26", **spec):
    wanted = {"cidr": cidr, "blockSize": 31, "allowedUses": ["LoadBalancer"], "assignmentMode": "Automatic"} | spec
    await cluster.apply(IP_POOLS, name, spec=wanted)


async def service(cluster, name, *, annotations=None, **spec):
    metadata = {"annotations": {key: json.dumps(value) for key, value in (annotations or {}).items()}}
    wanted = {"type": "LoadBalancer", "ports": [{"port": 80}], "selector": {"app": "x"}} | spec
    await cluster.apply(SERVICES, name, metadata=metadata, spec=wanted)


async def address(cluster, name):
    return next((str(each) for each in addresses_of(await cluster.get(SERVICES, name))), "")


async def gets(cluster, name, expected):
    async def so():
        return await address(cluster, name) == expected

    await eventually(so)


async def stays_pending(cluster, name):
    """A service made afterwards gets its address, so this one was looked at and got none."""
    await service(cluster, "witness")

    async def witness_served():
        return bool(await address(cluster, "witness"))

    await eventually(witness_served)
    assert await address(cluster, name) == ""


async def test_addresses_ascend_from_the_first_of_the_pool(cluster):
    await pool(cluster)
    for name, expected in (("a", "10.10.10.0"), ("b", "10.10.10.1"), ("c", "10.10.10.2")):
        await service(cluster, name)
        await gets(cluster, name, expected)


async def test_a_deleted_services_address_is_free_again(cluster):
    await pool(cluster)
    for name in "ab":
        await service(cluster, name)
        await gets(cluster, name, {"a": "10.10.10.0", "b": "10.10.10.1"}[name])
    await cluster.client.delete(SERVICES, "a", "default")
    await service(cluster, "c")
    await gets(cluster, "c", "10.10.10.0")
    assert await address(cluster, "b") == "10.10.10.1"


async def test_without_a_pool_a_service_waits_for_one(cluster):
    await service(cluster, "a")
    await service(cluster, "b")
    assert await address(cluster, "a") == ""
    await pool(cluster)
    await gets(cluster, "a", "10.10.10.0")
    await gets(cluster, "b", "10.10.10.1")


async def test_a_service_waits_for_a_free_address(cluster):
    await pool(cluster, cidr="10.10.10.0/32", blockSize=32)
    await service(cluster, "a")
    await gets(cluster, "a", "10.10.10.0")
    await service(cluster, "b")
    await asyncio.sleep(0.05)
    await cluster.client.delete(SERVICES, "a", "default")
    await gets(cluster, "b", "10.10.10.0")


@pytest.mark.parametrize("new_type", ["ClusterIP", "NodePort"])
async def test_a_service_that_is_no_load_balancer_any_more_gives_back(cluster, new_type):
    await pool(cluster)
    await service(cluster, "a")
    await gets(cluster, "a", "10.10.10.0")
    await cluster.change(SERVICES, "a", {"spec": {"type": new_type}})
    await gets(cluster, "a", "")


async def test_removing_the_last_pool_takes_the_addresses_back(cluster):
    await pool(cluster)
    await service(cluster, "a")
    await gets(cluster, "a", "10.10.10.0")
    await cluster.client.delete(IP_POOLS, "pool")
    await gets(cluster, "a", "")


async def test_a_disabled_pool_assigns_nothing_and_takes_nothing_back(cluster):
    await pool(cluster)
    await pool(cluster, "second", cidr="10.10.20.0/26")
    await service(cluster, "a")
    await gets(cluster, "a", "10.10.10.0")
    await cluster.change(IP_POOLS, "pool", {"spec": {"disabled": True}})
    await service(cluster, "b")
    await gets(cluster, "b", "10.10.20.0")
    assert await address(cluster, "a") == "10.10.10.0"


async def test_a_manual_pool_serves_only_who_asks(cluster):
    await pool(cluster, assignmentMode="Manual")
    await pool(cluster, "second", cidr="10.10.20.0/26")
    await service(cluster, "a")
    await gets(cluster, "a", "10.10.20.0")
    await service(cluster, "b", annotations={POOLS: ["pool"]})
    await gets(cluster, "b", "10.10.10.0")
    await service(cluster, "c", annotations={POOLS: ["10.10.10.0/26"]})
    await gets(cluster, "c", "10.10.10.1")


async def test_a_requested_address_is_given(cluster):
    await pool(cluster)
    await service(cluster, "a", annotations={ADDRESSES: ["10.10.10.7"]})
    await gets(cluster, "a", "10.10.10.7")


@pytest.mark.parametrize("wanted", ["10.10.10.0", "10.99.0.1", "nonsense"])
async def test_there_is_no_falling_back_from_a_requested_address(cluster, wanted):
    await pool(cluster)
    await service(cluster, "first")
    await gets(cluster, "first", "10.10.10.0")
    await service(cluster, "a", annotations={ADDRESSES: [wanted]})
    await stays_pending(cluster, "a")


async def test_a_new_request_moves_a_service(cluster):
    await pool(cluster)
    await service(cluster, "a")
    await gets(cluster, "a", "10.10.10.0")
    await cluster.change(SERVICES, "a", {"metadata": {"annotations": {ADDRESSES: '["10.10.10.9"]'}}})
    await gets(cluster, "a", "10.10.10.9")


async def test_only_its_own_class_is_served(cluster):
    await pool(cluster)
    await service(cluster, "theirs", loadBalancerClass="example.com/lb")
    await service(cluster, "ours", loadBalancerClass="calico")
    await gets(cluster, "ours", "10.10.10.0")
    assert await address(cluster, "theirs") == ""


async def test_a_pool_for_pods_is_not_for_services(cluster):
    await cluster.apply(IP_POOLS, "another", spec={"cidr": "10.60.0.0/16", "allowedUses": ["Workload"]})
    await pool(cluster)
    await service(cluster, "a")
    await gets(cluster, "a", "10.10.10.0")
