"""kubectl's commands whose bodies are Protobuf: create in its forms, tokens, who am I, may I."""

import pytest

from calico_lab.local.resources import DEPLOYMENTS, PODS, SECRETS, SERVICES


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        ("create namespace shop", "namespace/shop created"),
        ("create configmap settings --from-literal=colour=blue", "configmap/settings created"),
        ("create secret generic password --from-literal=key=value", "secret/password created"),
        ("create serviceaccount robot", "serviceaccount/robot created"),
        ("create deployment web --image=echo --replicas=3", "deployment.apps/web created"),
        ("create service clusterip web --tcp=80:3000", "service/web created"),
        ("create service nodeport web --tcp=80", "service/web created"),
        ("create ingress web --class=nginx --rule=a.com/x*=web:80", "ingress.networking.k8s.io/web created"),
        ("create role r --verb=get --resource=pods", "role.rbac.authorization.k8s.io/r created"),
        ("create clusterrole r --verb=get --resource=pods", "clusterrole.rbac.authorization.k8s.io/r created"),
        (
            "create rolebinding b --clusterrole=view --serviceaccount=default:robot",
            "rolebinding.rbac.authorization.k8s.io/b created",
        ),
        (
            "create clusterrolebinding b --clusterrole=view --user=ann",
            "clusterrolebinding.rbac.authorization.k8s.io/b created",
        ),
        ("run web --image=echo --port=80", "pod/web created"),
        ("auth can-i create pods", "yes"),
        ("auth can-i '*' '*' --all-namespaces", "yes"),
    ],
)
async def test_what_kubectl_creates(kubectl, arguments, output):
    assert await kubectl(*arguments.replace("'", "").split()) == (0, output + "\n")


async def test_a_deployment_arrives_whole(client, kubectl):
    await kubectl("create", "deployment", "web", "--image=echo", "--replicas=3", "--port=80", "--", "serve", "it")
    deployment = await client.get(DEPLOYMENTS, "web", "default")
    assert deployment["spec"]["replicas"] == 3
    assert deployment["spec"]["selector"] == {"matchLabels": {"app": "web"}}
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert (container["name"], container["ports"]) == ("echo", [{"containerPort": 80, "protocol": "TCP"}])
    assert container["command"] == ["serve", "it"]


async def test_bytes_numbers_and_times_arrive(client, kubectl):
    await kubectl("create", "secret", "generic", "password", "--from-literal=key=ä")
    assert (await client.get(SECRETS, "password", "default"))["data"] == {"key": "w6Q="}
    await kubectl("create", "service", "clusterip", "web", "--tcp=80:3000")
    ports = (await client.get(SERVICES, "web", "default"))["spec"]["ports"]
    assert ports == [{"name": "80-3000", "port": 80, "protocol": "TCP", "targetPort": 3000}]


async def test_an_ingress_arrives_whole(ask, kubectl):
    await kubectl("create", "ingress", "web", "--class=nginx", "--rule=a.com/x*=web:http,tls=cert")
    found = await ask("GET", "/apis/networking.k8s.io/v1/namespaces/default/ingresses/web")
    backend = {"service": {"name": "web", "port": {"name": "http"}}}
    assert found.body["spec"] == {
        "ingressClassName": "nginx",
        "rules": [{"host": "a.com", "http": {"paths": [{"path": "/x", "pathType": "Prefix", "backend": backend}]}}],
        "tls": [{"hosts": ["a.com"], "secretName": "cert"}],
    }


async def test_a_taken_name(kubectl):
    await kubectl("create", "namespace", "shop")
    output = 'Error from server (AlreadyExists): namespaces "shop" already exists\n'
    assert await kubectl("create", "namespace", "shop") == (1, "" + output)


async def test_whoami(kubectl):
    _, output = await kubectl("auth", "whoami")
    assert [line.split() for line in output.splitlines()] == [
        ["ATTRIBUTE", "VALUE"],
        ["Username", "kubernetes-admin"],
        ["Groups", "[system:masters", "system:authenticated]"],
    ]


async def test_a_token_of_a_service_account(kubectl):
    code, token = await kubectl("create", "token", "default", "--duration=1h")
    assert code == 0
    _, output = await kubectl("--token", token.strip(), "auth", "whoami")
    assert "system:serviceaccount:default:default" in output


async def test_a_pod_is_run_as_it_was_asked_for(client, kubectl):
    await kubectl("run", "web", "--image=echo", "--env=A=b", "--restart=Never", "--labels=a=b")
    pod = await client.get(PODS, "web", "default")
    assert pod["spec"]["restartPolicy"] == "Never"
    assert pod["spec"]["containers"][0]["env"] == [{"name": "A", "value": "b"}]
    assert pod["metadata"]["labels"] == {"a": "b"}
