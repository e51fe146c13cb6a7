"""nginx in pods: pages, configuration and templates from volumes, its log, its user."""

import asyncio

from support.eventually import eventually

from calico_lab.local import resources

IMAGE = {"image": "nginx:1.27"}


async def ask(world, name, port=80, path="/"):
    status = await world.status(name)
    return await world.run("worker1", f"curl -s --max-time 2 'http://{status['podIP']}:{port}{path}'")


def config_map(name, at, **more):
    volume = {"name": name, "configMap": {"name": name}}
    return {"volumes": [volume], "volumeMounts": [{"name": name, "mountPath": at, **more}]}


async def test_it_welcomes(world):
    await world.pod("plain", **IMAGE)
    await world.ready("plain")
    assert "Welcome to nginx!" in await ask(world, "plain")
    assert '"GET / HTTP/1.1" 200' in await world.log("plain")


async def test_it_starts_a_worker_and_nothing_goes_wrong(world):
    log = await world.log("plain")
    assert "start worker process" in log
    assert "[emerg]" not in log
    assert "[alert]" not in log


async def test_pages_come_from_a_config_map_and_follow_it(world):
    await world.create(resources.CONFIG_MAPS, "pages", data={"index.html": "blue"})
    await world.pod("pages", **IMAGE, **config_map("pages", "/usr/share/nginx/html"))
    await world.ready("pages")
    assert await ask(world, "pages") == "blue"
    await world.client.patch(resources.CONFIG_MAPS, "pages", "default", {"data": {"index.html": "green"}})

    async def changed():
        return await ask(world, "pages") == "green"

    await eventually(changed)


async def test_configuration_comes_from_a_config_map(world):
    server = "server { listen 8080; location / { return 200 'configured'; } }"
    await world.create(resources.CONFIG_MAPS, "servers", data={"default.conf": server})
    await world.pod("configured", **IMAGE, **config_map("servers", "/etc/nginx/conf.d"))
    await world.ready("configured")
    assert await ask(world, "configured", 8080) == "configured"


async def test_a_whole_nginx_conf_with_its_user(world):
    text = "user nginx;\nevents {}\nhttp { server { listen 80; location / { return 200 'whole'; } } }\n"
    await world.create(resources.CONFIG_MAPS, "main", data={"nginx.conf": text})
    await world.pod("whole", **IMAGE, **config_map("main", "/etc/nginx/nginx.conf", subPath="nginx.conf"))
    await world.ready("whole")
    assert await ask(world, "whole") == "whole"
    assert 'the "user" directive makes sense only if' in await world.log("whole")


async def test_templates_get_the_environment(world):
    template = "server { listen 80; location / { return 200 '$COLOUR ${COLOUR} $uri'; } }"
    await world.create(resources.CONFIG_MAPS, "templates", data={"default.conf.template": template})
    mounts = config_map("templates", "/etc/nginx/templates")
    await world.pod("filled", **IMAGE, **mounts, env=[{"name": "COLOUR", "value": "blue"}])
    await world.ready("filled")
    assert await ask(world, "filled", path="/x") == "blue blue /x"


async def test_a_faulty_configuration_is_told_in_the_log(world):
    await world.create(resources.CONFIG_MAPS, "faulty", data={"default.conf": "nonsense;"})
    await world.pod("faulty", **IMAGE, **config_map("faulty", "/etc/nginx/conf.d"))
    await world.waiting("faulty", "CrashLoopBackOff")
    assert 'unknown directive "nonsense" in /etc/nginx/conf.d/default.conf:1' in await world.log("faulty")


async def test_it_takes_the_arguments_of_the_image_and_ends_in_peace(world):
    await world.pod("told", **IMAGE, args=["nginx", "-g", "daemon off; worker_shutdown_timeout 1s;"])
    await world.ready("told")
    await world.client.delete(resources.PODS, "told", "default")
    await world.gone("told")


async def test_an_answer_under_way_outlives_the_end(world):
    server = "server { listen 80; location / { echo_sleep 0.5; echo -n done; } }"
    await world.create(resources.CONFIG_MAPS, "slow", data={"default.conf": server})
    await world.pod("slow", **IMAGE, **config_map("slow", "/etc/nginx/conf.d"))
    await world.ready("slow")
    asked = asyncio.create_task(ask(world, "slow"))
    await asyncio.sleep(0.2)
    await world.client.delete(resources.PODS, "slow", "default")
    assert await asked == "done"
    await world.gone("slow")
