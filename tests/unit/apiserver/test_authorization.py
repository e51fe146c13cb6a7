"""Roles and bindings: whoever a binding names may do what its roles say, and nothing else."""

import pytest

from calico_lab import errors
from calico_lab.local.apiserver.authentication import User
from calico_lab.local.apiserver.authorization import Attempt, Authorizer

RBAC = "/apis/rbac.authorization.k8s.io/v1"
ROLES = f"{RBAC}/namespaces/default/roles"
INGRESSES = {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses", "ingresses/status"], "verbs": ["list"]}
ACCOUNT = User("system:serviceaccount:default:reader", ("system:serviceaccounts", "system:authenticated"))
ADMINISTRATOR = User("admin", ("system:masters",))
LIST = Attempt("list", "networking.k8s.io", "ingresses")


@pytest.fixture
def authorizer(server):
    return Authorizer(server._store)


@pytest.fixture
def grant(ask):
    """Bind a service account, or whoever is named, to a role with these rules."""

    async def made(*rules, namespace="", subject=None):
        kind = "Role" if namespace else "ClusterRole"
        base = f"{RBAC}/namespaces/{namespace}" if namespace else RBAC
        plural = "role" if namespace else "clusterrole"
        subject = subject or {"kind": "ServiceAccount", "name": "reader", "namespace": "default"}
        role = {"metadata": {"name": "x:y"}, "rules": list(rules)}
        binding = {"metadata": {"name": "x"}, "roleRef": {"kind": kind, "name": "x:y"}, "subjects": [subject]}
        for path, item in ((f"{base}/{plural}s", role), (f"{base}/{plural}bindings", binding)):
            answer = await ask("POST", path, item)
            assert answer.status == 201, answer.body

    return made


async def test_whoever_no_binding_names_may_do_everything(authorizer):
    assert authorizer.allows(ACCOUNT, LIST)


async def test_whoever_is_named_may_do_what_the_role_says_and_no_more(authorizer, grant):
    await grant(INGRESSES)
    assert authorizer.allows(ACCOUNT, LIST)
    assert authorizer.allows(ACCOUNT, Attempt("list", "networking.k8s.io", "ingresses/status", "default"))
    assert authorizer.allows(ADMINISTRATOR, Attempt("delete", "", "pods"))
    for attempt in (
        Attempt("watch", LIST.group, LIST.resource),
        Attempt("list", "", "services"),
        Attempt("list", LIST.group, "ingressclasses"),
    ):
        assert not authorizer.allows(ACCOUNT, attempt)
    text = (
        'services is forbidden: User "system:serviceaccount:default:reader" cannot list resource "services" in API '
        'group "" at the cluster scope'
    )
    with pytest.raises(errors.Forbidden) as caught:
        authorizer.require(ACCOUNT, Attempt("list", "", "services"))
    assert caught.value.problem == text


async def test_a_role_of_a_namespace_counts_there_alone(authorizer, grant):
    await grant(INGRESSES, namespace="default")
    assert authorizer.allows(ACCOUNT, Attempt("list", LIST.group, LIST.resource, "default"))
    assert not authorizer.allows(ACCOUNT, Attempt("list", LIST.group, LIST.resource, "other"))
    assert not authorizer.allows(ACCOUNT, LIST)


async def test_a_group_adds_to_what_its_members_may_do_and_takes_nothing(authorizer, grant):
    await grant(INGRESSES, subject={"kind": "Group", "name": "system:serviceaccounts"})
    assert authorizer.allows(ACCOUNT, Attempt("delete", "", "pods"))
    await grant({"apiGroups": ["*"], "resources": ["pods"], "verbs": ["*"]}, namespace="default")
    assert authorizer.allows(ACCOUNT, LIST)
    assert not authorizer.allows(ACCOUNT, Attempt("list", "", "services", "default"))


@pytest.mark.parametrize(
    ("rule", "attempt", "allowed"),
    [
        ({"resourceNames": ["a"]}, Attempt("get", "", "secrets", "default", "a"), True),
        ({"resourceNames": ["a"]}, Attempt("get", "", "secrets", "default", "b"), False),
        ({"resources": ["*"]}, Attempt("get", "", "pods/log"), True),
        ({"resources": ["*/log"]}, Attempt("get", "", "pods/log"), True),
        ({"resources": ["pods"]}, Attempt("get", "", "pods/log"), False),
        ({"apiGroups": ["apps"]}, Attempt("get", "", "secrets"), False),
    ],
)
async def test_rules(authorizer, grant, rule, attempt, allowed):
    await grant({"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]} | rule)
    assert authorizer.allows(ACCOUNT, attempt) is allowed


async def test_a_token_of_an_account_is_held_to_its_roles(server, ask, grant):
    from calico_lab.local.wire import Request

    await ask("POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "reader"}})
    await grant(INGRESSES)
    answer = await ask("POST", "/api/v1/namespaces/default/serviceaccounts/reader/token", {})
    headers = {"authorization": f"Bearer {answer.body['status']['token']}"}

    async def get(path):
        return (await server.handle(Request("GET", path, (), headers))).status

    assert [await get("/apis/networking.k8s.io/v1/ingresses"), await get("/api/v1/services")] == [200, 403]
    assert await get("/apis/networking.k8s.io/v1") == 200  # discovery is for everybody
    review = {"spec": {"resourceAttributes": {"verb": "list", "resource": "services"}}}
    import json

    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    response = await server.handle(Request("POST", path, (), headers, json.dumps(review).encode()))
    assert json.loads(response.body)["status"] == {"allowed": False}
