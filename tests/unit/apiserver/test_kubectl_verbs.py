"""kubectl's verbs, one by one: what it prints on success and on failure."""

import pytest

from calico_lab.local.resources import DEPLOYMENTS, PODS


@pytest.fixture
async def web(client, make):
    """A deployment and two pods, whose ranks are not in the order of their names."""
    await client.create(DEPLOYMENTS, make.deployment(replicas=2))
    for name, rank in (("b", "1"), ("a", "2")):
        pod = make.pod(name)
        await client.create(PODS, pod | {"metadata": pod["metadata"] | {"labels": {"rank": rank}}})


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        ("scale deployment web --replicas=3", "deployment.apps/web scaled"),
        ("annotate deployment web note=x", "deployment.apps/web annotated"),
        ("label deployment web tier=x", "deployment.apps/web labeled"),
        ("set image deployment/web main=b", "deployment.apps/web image updated"),
        ("set env deployment/web A=b", "deployment.apps/web env updated"),
        ("rollout restart deployment/web", "deployment.apps/web restarted"),
        ("rollout pause deployment/web", "deployment.apps/web paused"),
        ("expose deployment web --port=80", "service/web exposed"),
        ("get pods --sort-by={.metadata.labels.rank} -o name", "pod/b\npod/a"),
        ("get pods -o name", "pod/a\npod/b"),
        ("get pods -l rank=2 -o name", "pod/a"),
        ("get pods --field-selector=metadata.name=b -o name", "pod/b"),
        ("get pods -o jsonpath={.items[*].metadata.name}", "a b"),
        ("get pods --no-headers -o custom-columns=:.metadata.name,:.status.phase", "a     Pending\nb     Pending"),
        ("delete pods --all", 'pod "a" deleted from default namespace\npod "b" deleted from default namespace'),
        ("delete pod a --dry-run=server", 'pod "a" deleted from default namespace (server dry run)'),
        ("create namespace x --dry-run=server", "namespace/x created (server dry run)"),
        ("create namespace x --dry-run=client", "namespace/x created (dry run)"),
        ("get all -o name", "pod/a\npod/b\nservice/kubernetes\ndeployment.apps/web"),
    ],
)
async def test_what_succeeds(kubectl, web, arguments, output):
    code, printed = await kubectl(*arguments.split())
    assert (code, printed.strip()) == (0, output)


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        ("get pod x", 'Error from server (NotFound): pods "x" not found'),
        ("get things", 'error: the server doesn\'t have a resource type "things"'),
        ("get pods -l a=(", "unable to parse requirement"),
        ("get pods --field-selector=spec.x=y", "field label not supported: spec.x"),
        ("label pod a rank=3", "'rank' already has a value (2), and --overwrite is false"),
        ("scale deployment web --replicas=3 --current-replicas=7", "error: Expected replicas to be 7, was 2"),
        (
            "create deployment web --image=x",
            'error: failed to create deployment: deployments.apps "web" already exists',
        ),
        ("delete namespace default", 'namespaces "default" is forbidden: this namespace may not be deleted'),
        (
            "create configmap Bad",
            'ConfigMap "Bad" is invalid: metadata.name: Invalid value: "Bad": a lowercase RFC 1123',
        ),
        ("run x --image=", "error: --image is required"),
        ("exec a -- ls", "pod a does not have a host assigned"),
        ("top pods", "error: Metrics API not available"),
        ("create job x --image=a", "error: failed to create job: the server could not find the requested resource"),
    ],
)
async def test_what_fails(kubectl, web, arguments, output):
    code, printed = await kubectl(*arguments.split())
    assert code == 1
    assert output in printed


@pytest.mark.parametrize(
    ("kind", "patch", "replicas"),
    [
        ("strategic", '{"spec":{"replicas":5}}', 5),
        ("merge", '{"spec":{"replicas":6}}', 6),
        ("json", '[{"op":"replace","path":"/spec/replicas","value":7}]', 7),
    ],
)
async def test_three_forms_of_patch(client, kubectl, web, kind, patch, replicas):
    assert await kubectl("patch", "deployment", "web", f"--type={kind}", "-p", patch) == (
        0,
        "deployment.apps/web patched\n",
    )
    assert (await client.get(DEPLOYMENTS, "web", "default"))["spec"]["replicas"] == replicas


async def test_edit(client, kubectl, web):
    editor = {"KUBE_EDITOR": "sed -i s/replicas:.2/replicas:\\ 4/"}
    assert await kubectl("edit", "deployment", "web", **editor) == (0, "deployment.apps/web edited\n")
    assert (await client.get(DEPLOYMENTS, "web", "default"))["spec"]["replicas"] == 4


async def test_an_edit_that_changes_nothing(kubectl, web):
    assert await kubectl("edit", "deployment", "web", KUBE_EDITOR="true") == (0, "Edit cancelled, no changes made.\n")


async def test_replace(client, kubectl, web):
    _, manifest = await kubectl("get", "deployment", "web", "-o", "yaml")
    changed = manifest.replace("replicas: 2", "replicas: 9")
    assert await kubectl("replace", "-f", "-", given=changed) == (0, "deployment.apps/web replaced\n")
    code, output = await kubectl("replace", "-f", "-", given=changed)
    assert code == 1
    assert "the object has been modified; please apply your changes to the latest version and try again" in output


@pytest.mark.parametrize("kind", ["deployment", "pod", "node", "namespace", "configmap", "serviceaccount", "service"])
async def test_describe(kubectl, web, kind):
    code, output = await kubectl("describe", kind)
    assert code == 0
    assert "Error" not in output


async def test_version_warns_of_no_skew(kubectl):
    code, output = await kubectl("version")
    assert code == 0
    assert "Server Version: v1.37" in output
    assert "WARNING" not in output


async def test_explain_of_a_whole_kind(kubectl):
    code, output = await kubectl("explain", "deployment", "--recursive")
    assert code == 0
    assert "  spec\t<DeploymentSpec>" in output
    assert "containerPort\t<integer> -required-" in output


async def test_watching_ends_with_the_time_it_was_given(kubectl, web):
    code, output = await kubectl("get", "pods", "-w", "--no-headers", "--request-timeout=1s")
    assert code == 0
    assert [line.split()[0] for line in output.splitlines()] == ["a", "b"]


async def test_large_lists_come_in_portions(client, kubectl, make):
    for index in range(12):
        await client.create(DEPLOYMENTS, make.deployment(f"d{index:02}"))
    _, output = await kubectl("get", "deployments", "-o", "name", "--chunk-size=5")
    assert len(output.splitlines()) == 12
