from support.eventually import eventually

from calico_lab.local.controllers.endpoint_slice import slice_contents
from calico_lab.local.resources import DEPLOYMENTS, ENDPOINT_SLICES, PODS, SERVICES

PORTS = [{"name": "http", "port": 3000, "targetPort": 3000}]


async def serve(cluster, **spec):
    await cluster.apply(SERVICES, "backend", spec={"ports": PORTS, "selector": {"app": "backend"}} | spec)


async def slices(cluster):
    items = await cluster.all(ENDPOINT_SLICES, "default")
    return [each for each in items if each["metadata"]["labels"]["kubernetes.io/service-name"] == "backend"]


async def endpoints(cluster, number):
    """Wait until the Service has this many ready endpoints, and return all."""

    async def so():
        found = [endpoint for each in await slices(cluster) for endpoint in each["endpoints"]]
        return bool(await slices(cluster)) and sum(each["conditions"]["ready"] for each in found) == number

    await eventually(so)
    return [endpoint for each in await slices(cluster) for endpoint in each["endpoints"]]


async def test_ready_pods_are_endpoints(cluster):
    await serve(cluster)
    await cluster.deploy(replicas=4)
    await cluster.ready(4)
    found = await endpoints(cluster, 4)
    pods = {pod["metadata"]["name"]: pod for pod in await cluster.pods()}
    for endpoint in found:
        pod = pods[endpoint["targetRef"]["name"]]
        assert endpoint["addresses"] == [pod["status"]["podIP"]]
        assert endpoint["nodeName"] == pod["spec"]["nodeName"]
        assert endpoint["conditions"] == {"ready": True, "serving": True, "terminating": False}


async def test_name_labels_and_ports(cluster):
    await serve(cluster)
    await cluster.deploy(replicas=1)
    await endpoints(cluster, 1)
    (only,) = await slices(cluster)
    assert only["metadata"]["name"].startswith("backend-")
    assert only["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"] == "endpointslice-controller.k8s.io"
    assert only["ports"] == [{"name": "http", "port": 3000, "protocol": "TCP"}]
    assert only["metadata"]["ownerReferences"][0]["kind"] == "Service"


async def test_an_unready_pod_stays_but_is_not_ready(cluster):
    await serve(cluster)
    await cluster.deploy(replicas=2)
    await endpoints(cluster, 2)
    cluster.kubelets.held = True
    await cluster.kubelets.say((await cluster.pods())[0], ready=False)
    assert len(await endpoints(cluster, 1)) == 2


async def test_a_pod_that_no_longer_matches_leaves(cluster):
    await serve(cluster, selector={"app": "backend", "in": "yes"})
    await cluster.deploy(replicas=2)
    await cluster.ready(2)
    first, second = await cluster.names(PODS)
    for name in (first, second):
        await cluster.change(PODS, name, {"metadata": {"labels": {"in": "yes"}}})
    await endpoints(cluster, 2)
    await cluster.change(PODS, first, {"metadata": {"labels": {"in": None}}})
    assert [each["targetRef"]["name"] for each in await endpoints(cluster, 1)] == [second]


async def test_scaling_to_none_leaves_an_empty_slice(cluster):
    await serve(cluster)
    await cluster.deploy(replicas=2)
    await endpoints(cluster, 2)
    await cluster.change(DEPLOYMENTS, "backend", {"spec": {"replicas": 0}})

    async def empty():
        return [each["endpoints"] for each in await slices(cluster)] == [[]]

    await eventually(empty)


async def test_a_set_of_ports_that_no_pod_has_any_more_loses_its_slice(cluster):
    await serve(cluster, ports=[{"port": 80, "targetPort": "web"}])
    for name, port in (("a", 8080), ("b", 9090)):
        container = {"name": "c", "image": "one", "ports": [{"name": "web", "containerPort": port}]}
        await cluster.apply(PODS, name, metadata={"labels": {"app": "backend"}}, spec={"containers": [container]})
    await endpoints(cluster, 2)
    assert len(await slices(cluster)) == 2
    await cluster.client.delete(PODS, "b", "default")

    async def one_left():
        return [each["ports"][0]["port"] for each in await slices(cluster)] == [8080]

    await eventually(one_left)


async def test_deleting_the_service_removes_its_slices(cluster):
    await serve(cluster)
    await endpoints(cluster, 0)
    await cluster.client.delete(SERVICES, "backend", "default")

    async def none():
        return not await slices(cluster)

    await eventually(none)


async def test_a_deleted_slice_comes_back(cluster):
    await serve(cluster)
    await endpoints(cluster, 0)
    (only,) = await slices(cluster)
    await cluster.client.delete(ENDPOINT_SLICES, only["metadata"]["name"], "default")
    await cluster.gone(ENDPOINT_SLICES, only["metadata"]["name"])
    await endpoints(cluster, 0)


async def test_a_service_without_selector_has_no_slices_made(cluster):
    await serve(cluster, selector=None)
    await cluster.apply(SERVICES, "other", spec={"ports": PORTS, "selector": {"app": "x"}})

    async def other_is_done():
        return any(name.startswith("other-") for name in await cluster.names(ENDPOINT_SLICES))

    await eventually(other_is_done)
    assert await slices(cluster) == []


def _pod(name, address, port, *, deleting=False):
    metadata = {"name": name, "namespace": "default", "uid": name} | ({"deletionTimestamp": "x"} if deleting else {})
    ports = [{"name": "web", "containerPort": port}]
    status = {"podIP": address, "conditions": [{"type": "Ready", "status": "True"}]}
    return {"metadata": metadata, "spec": {"containers": [{"name": "c", "ports": ports}]}, "status": status}


def _service(**spec):
    return {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80, "targetPort": "web"}]} | spec}


def test_a_named_port_makes_one_slice_for_each_number():
    pods = [_pod("a", "10.48.1.1", 8080), _pod("b", "10.48.1.2", 9090), _pod("c", "10.48.1.3", 8080)]
    contents = slice_contents(_service(), pods)
    found = {ports[0]["port"]: [each["addresses"][0] for each in endpoints] for ports, endpoints in contents}
    assert found == {8080: ["10.48.1.1", "10.48.1.3"], 9090: ["10.48.1.2"]}


def test_a_pod_on_its_way_out_serves_but_is_not_ready():
    ((_, (endpoint,)),) = slice_contents(_service(), [_pod("a", "10.48.1.1", 80, deleting=True)])
    assert endpoint["conditions"] == {"ready": False, "serving": True, "terminating": True}


def test_a_slice_holds_a_hundred_endpoints():
    pods = [_pod(f"p{number:03}", f"10.48.2.{number}", 80) for number in range(201)]
    assert [len(endpoints) for _, endpoints in slice_contents(_service(), pods)] == [100, 100, 1]
