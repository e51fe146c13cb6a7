from support.eventually import eventually

from calico_lab.local.objects import owner_reference
from calico_lab.local.resources import CONFIG_MAPS, DEPLOYMENTS, IP_POOLS, PODS, REPLICA_SETS


async def owned(cluster, name, *owners):
    references = [owner_reference(owner) for owner in owners[:1]]
    references += [owner_reference(owner, controller=False) for owner in owners[1:]]
    return await cluster.apply(CONFIG_MAPS, name, metadata={"ownerReferences": references})


async def test_a_chain_of_owners_goes_link_by_link(cluster):
    first = await cluster.apply(CONFIG_MAPS, "first")
    second = await owned(cluster, "second", first)
    await owned(cluster, "third", second)
    await cluster.client.delete(CONFIG_MAPS, "first", "default")
    await cluster.gone(CONFIG_MAPS, "third")


async def test_an_object_with_another_owner_stays_and_forgets_the_gone_one(cluster):
    one, two = [await cluster.apply(CONFIG_MAPS, name) for name in ("one", "two")]
    await owned(cluster, "both", one, two)
    await cluster.client.delete(CONFIG_MAPS, "one", "default")

    async def forgotten():
        owners = (await cluster.get(CONFIG_MAPS, "both"))["metadata"]["ownerReferences"]
        return [owner["name"] for owner in owners] == ["two"]

    await eventually(forgotten)


async def test_a_new_object_of_the_owners_name_is_not_the_owner(cluster):
    stale = await cluster.apply(CONFIG_MAPS, "owner")
    await cluster.client.delete(CONFIG_MAPS, "owner", "default")
    await cluster.apply(CONFIG_MAPS, "owner")
    await owned(cluster, "dependent", stale)
    await cluster.gone(CONFIG_MAPS, "dependent")


async def test_a_cluster_scoped_owner_takes_namespaced_objects_along(cluster):
    spec = {"cidr": "10.10.10.0/26", "allowedUses": ["LoadBalancer"]}
    pool = await cluster.apply(IP_POOLS, "pool", spec=spec)
    await owned(cluster, "dependent", pool)
    await cluster.client.delete(IP_POOLS, "pool")
    await cluster.gone(CONFIG_MAPS, "dependent")


async def test_in_the_foreground_the_owner_waits(cluster):
    await cluster.deploy(replicas=2)
    await cluster.ready(2)
    order = []
    cluster.kubelets.pods.on_change(lambda _, new: order.append("pod") if new is None else None)
    await cluster.client.delete(DEPLOYMENTS, "backend", "default", propagation="Foreground")
    assert await cluster.names(DEPLOYMENTS) == ["backend"]
    await cluster.gone(DEPLOYMENTS, "backend")
    assert order == ["pod", "pod"]
    assert not await cluster.names(REPLICA_SETS)


async def test_orphans_stay(cluster):
    await cluster.deploy(replicas=2)
    await cluster.ready(2)
    before = await cluster.names(PODS)
    await cluster.client.delete(DEPLOYMENTS, "backend", "default", propagation="Orphan")
    await cluster.gone(DEPLOYMENTS, "backend")
    (replica_set,) = await cluster.all(REPLICA_SETS)
    assert "ownerReferences" not in replica_set["metadata"]
    assert await cluster.names(PODS) == before


async def test_orphans_are_adopted_by_the_next_deployment(cluster):
    await cluster.deploy(replicas=2)
    await cluster.ready(2)
    before = await cluster.names(PODS)
    await cluster.client.delete(DEPLOYMENTS, "backend", "default", propagation="Orphan")
    await cluster.gone(DEPLOYMENTS, "backend")
    await cluster.deploy(replicas=2)
    await cluster.complete()
    assert await cluster.names(PODS) == before
