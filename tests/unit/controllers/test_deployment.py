import re

from support.eventually import eventually

from calico_lab.local.resources import DEPLOYMENTS, PODS, REPLICA_SETS


async def test_four_replicas_become_four_ready_pods(cluster):
    await cluster.deploy(replicas=4)
    await cluster.ready(4, app="backend")


async def test_names_are_those_of_kubernetes(cluster):
    await cluster.deploy(replicas=1)
    await cluster.ready(1)
    (replica_set,) = await cluster.names(REPLICA_SETS)
    (pod,) = await cluster.names(PODS)
    assert re.fullmatch(r"backend-[4-9bcdf]{7,10}", replica_set)
    assert re.fullmatch(replica_set + r"-[bcdfghjklmnpqrstvwxz2456789]{5}", pod)


async def test_the_hash_is_on_pods_and_selector(cluster):
    await cluster.deploy(replicas=1)
    await cluster.ready(1)
    (replica_set,), (pod,) = await cluster.all(REPLICA_SETS), await cluster.pods()
    name_hash = replica_set["metadata"]["name"].removeprefix("backend-")
    assert pod["metadata"]["labels"] == {"app": "backend", "pod-template-hash": name_hash}
    assert replica_set["spec"]["selector"]["matchLabels"]["pod-template-hash"] == name_hash


async def test_the_same_template_has_the_same_hash_again(cluster):
    await cluster.deploy(replicas=1)
    await cluster.ready(1)
    (first,) = await cluster.names(REPLICA_SETS)
    await cluster.client.delete(DEPLOYMENTS, "backend", "default")
    await cluster.gone(REPLICA_SETS, first)
    await cluster.deploy(replicas=1)
    await cluster.ready(1)
    assert await cluster.names(REPLICA_SETS) == [first]


async def test_scaling_up_keeps_the_pods_there_are(cluster):
    await cluster.deploy(replicas=2)
    await cluster.ready(2)
    before = set(await cluster.names(PODS))
    await cluster.change(DEPLOYMENTS, "backend", {"spec": {"replicas": 5}})
    await cluster.ready(5)
    assert before < set(await cluster.names(PODS))


async def test_scaling_to_none_and_back(cluster):
    await cluster.deploy(replicas=3)
    await cluster.ready(3)
    for replicas in (0, 3):
        await cluster.change(DEPLOYMENTS, "backend", {"spec": {"replicas": replicas}})
        await cluster.ready(replicas)


async def test_status_of_a_finished_rollout(cluster):
    await cluster.deploy(replicas=4)
    await cluster.complete()
    (replica_set,) = await cluster.names(REPLICA_SETS)
    status = await cluster.status()
    assert {field: value for field, value in status.items() if isinstance(value, int)} == {
        "observedGeneration": 1,
        "replicas": 4,
        "updatedReplicas": 4,
        "readyReplicas": 4,
        "availableReplicas": 4,
    }
    assert await cluster.condition("Available") == (
        "True",
        "MinimumReplicasAvailable",
        "Deployment has minimum availability.",
    )
    assert await cluster.condition("Progressing") == (
        "True",
        "NewReplicaSetAvailable",
        f'ReplicaSet "{replica_set}" has successfully progressed.',
    )


async def test_conditions_while_no_pod_is_ready(cluster):
    cluster.kubelets.held = True
    await cluster.deploy(replicas=4)

    async def four_pods():
        return (await cluster.status()).get("updatedReplicas") == 4

    await eventually(four_pods)
    assert (await cluster.status())["unavailableReplicas"] == 4
    assert await cluster.condition("Available") == (
        "False",
        "MinimumReplicasUnavailable",
        "Deployment does not have minimum availability.",
    )
    assert (await cluster.condition("Progressing"))[:2] == ("True", "ReplicaSetUpdated")


async def test_too_slow_a_rollout_is_called_so(cluster):
    cluster.kubelets.held = True
    await cluster.deploy(progressDeadlineSeconds=1, minReadySeconds=0)

    async def timed_out():
        return (await cluster.condition("Progressing"))[:2] == ("False", "ProgressDeadlineExceeded")

    await eventually(timed_out)


async def test_a_rolling_update_never_has_too_few_or_too_many(cluster):
    await cluster.deploy(replicas=4)
    await cluster.complete()
    seen = []
    cluster.kubelets.pods.on_change(lambda *_: seen.append(_count(cluster.kubelets.pods)))
    await cluster.set_image("two")
    await cluster.complete()
    assert min(ready for ready, _ in seen) >= 3
    assert max(pods for _, pods in seen) <= 5
    assert {pod["spec"]["containers"][0]["image"] for pod in await cluster.pods()} == {"two"}


async def test_a_bad_update_stops_and_leaves_the_old_pods(cluster):
    await cluster.deploy(replicas=4)
    await cluster.complete()
    cluster.kubelets.held = True
    await cluster.set_image("two")

    async def stuck():
        status = await cluster.status()
        return status.get("updatedReplicas") == 2 and status.get("replicas") == 5

    await eventually(stuck)
    assert sum(pod["spec"]["containers"][0]["image"] == "one" for pod in await cluster.pods()) == 3
    cluster.kubelets.release()
    await cluster.complete()


async def test_recreate_never_has_both_at_once(cluster):
    await cluster.deploy(replicas=3, strategy={"type": "Recreate", "rollingUpdate": None})
    await cluster.complete()
    seen = []
    cluster.kubelets.pods.on_change(lambda *_: seen.append(_images(cluster.kubelets.pods)))
    await cluster.set_image("two")
    await cluster.complete()
    assert {"one", "two"} not in seen
    assert seen[-1] == {"two"}


async def test_revisions_and_the_way_back(cluster):
    await cluster.deploy(replicas=1)
    await cluster.complete()
    for image, revision in (("two", "2"), ("one", "3")):
        await cluster.set_image(image)
        await cluster.complete()
        deployment = await cluster.get(DEPLOYMENTS, "backend")
        assert deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == revision
    assert len(await cluster.all(REPLICA_SETS)) == 2


async def test_history_is_limited(cluster):
    await cluster.deploy(replicas=1, revisionHistoryLimit=1)
    await cluster.complete()
    for image in ("two", "three", "four"):
        await cluster.set_image(image)
        await cluster.complete()

    async def two_left():
        images = {
            each["spec"]["template"]["spec"]["containers"][0]["image"] for each in await cluster.all(REPLICA_SETS)
        }
        return images == {"three", "four"}

    await eventually(two_left)


async def test_a_paused_deployment_scales_but_does_not_roll_out(cluster):
    await cluster.deploy(replicas=2)
    await cluster.complete()
    await cluster.change(DEPLOYMENTS, "backend", {"spec": {"paused": True, "replicas": 3}})
    await cluster.set_image("two")
    await cluster.ready(3)
    assert _images(await cluster.pods()) == {"one"}
    assert await cluster.condition("Progressing") == ("Unknown", "DeploymentPaused", "Deployment is paused")
    await cluster.change(DEPLOYMENTS, "backend", {"spec": {"paused": False}})
    await cluster.complete()
    assert _images(await cluster.pods()) == {"two"}


async def test_available_only_after_min_ready_seconds(cluster):
    await cluster.deploy(replicas=1, minReadySeconds=2)
    await cluster.ready(1)
    assert "availableReplicas" not in await cluster.status()
    await cluster.complete()


async def test_deleting_the_deployment_removes_everything(cluster):
    await cluster.deploy(replicas=4)
    await cluster.ready(4)
    await cluster.client.delete(DEPLOYMENTS, "backend", "default")

    async def nothing_left():
        return not await cluster.names(PODS) and not await cluster.names(REPLICA_SETS)

    await eventually(nothing_left)


async def test_scaling_is_an_event(cluster):
    await cluster.deploy(replicas=4)
    await cluster.complete()
    (replica_set,) = await cluster.names(REPLICA_SETS)
    assert await cluster.events("ScalingReplicaSet") == [f"Scaled up replica set {replica_set} from 0 to 4"]


async def test_nothing_is_written_once_all_is_done(cluster):
    await cluster.deploy(replicas=4)
    await cluster.complete()
    _, before = await cluster.client.list(DEPLOYMENTS)
    await cluster.change(DEPLOYMENTS, "backend", {"metadata": {"labels": {"a": "b"}}})
    deployment = await cluster.get(DEPLOYMENTS, "backend")
    (replica_set,) = await cluster.all(REPLICA_SETS)
    assert int(replica_set["metadata"]["resourceVersion"]) <= int(before)
    assert deployment["metadata"]["generation"] == 1


def _count(pods):
    kept = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    ready = [pod for pod in kept if pod.get("status", {}).get("conditions")]
    return len(ready), len(kept)


def _images(pods):
    return {pod["spec"]["containers"][0]["image"] for pod in pods}
