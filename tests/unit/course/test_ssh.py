"""The way to the bastion over SSH, to the SSH server of the lab's bastion."""

import asyncio
import os
import pwd
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from unittest.mock import Mock

import asyncssh
import pytest
from support.bastion_server import HOST_KEY, USER_KEY, bastion_server

from calico_lab.bastion import Bastion
from calico_lab.errors import CommandError, NoBastionError
from calico_lab.ssh import Address, look_up


@pytest.fixture
async def ssh_config(tmp_path, monkeypatch):
    async with bastion_server(tmp_path, monkeypatch) as (_host, port):
        USER_KEY.write_private_key(tmp_path / "key")
        known = f"[127.0.0.1]:{port} {HOST_KEY.export_public_key().decode()}"
        (tmp_path / "known_hosts").write_text(known)
        config = tmp_path / "ssh_config"
        config.write_text(
            f'Host bastion\n HostName 127.0.0.1\n Port {port}\n User user\n IdentityFile "{tmp_path}/key"\n'
            f' IdentitiesOnly yes\n UserKnownHostsFile "{tmp_path}/known_hosts"\n'
        )
        yield config


@pytest.fixture
async def run(ssh_config):
    """``Bastion.run``, awaited: the server lives in this thread."""
    with ThreadPoolExecutor(1) as pool:
        bastion = Bastion.find(ssh_config, {})
        loop = asyncio.get_running_loop()
        yield lambda command, **options: loop.run_in_executor(pool, partial(bastion.run, command, **options))
        bastion.close()


async def test_output_errors_and_exit_code(run):
    done = await run("echo out; echo err >&2; exit 7", check=False)
    assert (done.exit_code, done.output, done.errors) == (7, "out\n", "err\n")


async def test_input_reaches_the_command(run):
    assert (await run("wc -c", stdin="x" * 300_000)).output.strip() == "300000"


async def test_much_on_both_outputs_is_no_deadlock(run):
    done = await run("head -c 4000000 /dev/zero >&2; head -c 4000000 /dev/zero")
    assert (len(done.output), len(done.errors)) == (4_000_000, 4_000_000)


async def test_a_command_that_takes_too_long(run):
    with pytest.raises(CommandError, match="still running"):
        await run("sleep 30", time_limit=0.3)
    assert (await run("echo still here")).output == "still here\n"


async def test_a_host_whose_key_is_not_known_is_not_trusted(run, ssh_config):
    (ssh_config.parent / "known_hosts").write_text("")
    with pytest.raises(NoBastionError, match="not found in known_hosts"):
        await run("true")


async def test_a_host_with_another_key_than_the_known_one_is_not_trusted(run, ssh_config):
    known = ssh_config.parent / "known_hosts"
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    known.write_text(known.read_text().replace(HOST_KEY.export_public_key().decode(), other))
    with pytest.raises(NoBastionError) as caught:
        await run("true")
    assert "key has changed" in caught.value.remedy


async def test_a_key_that_the_bastion_does_not_take(run, ssh_config):
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(ssh_config.parent / "key")
    with pytest.raises(NoBastionError) as caught:
        await run("true")
    assert "takes none of your keys" in caught.value.remedy


def test_nothing_that_listens():
    with pytest.raises(NoBastionError, match="refused"):
        Bastion.find(None, {"CALICO_LAB_BASTION": "user@127.0.0.1:1"}).run("true")


def test_a_name_that_the_configuration_does_not_know_is_an_address(tmp_path):
    ssh_config = tmp_path / "ssh_config"
    ssh_config.write_text("Host bastion\n HostName 127.0.0.1\n")
    found = look_up("me@198.51.100.7:2222", ssh_config, must_exist=True)
    assert (found.user, found.host, found.port) == ("me", "198.51.100.7", 2222)


def test_a_user_whom_the_system_knows_by_no_name_is_called_by_number(tmp_path, monkeypatch):
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(variable, "")
    monkeypatch.setattr(pwd, "getpwuid", Mock(side_effect=KeyError))
    config = tmp_path / "ssh_config"
    config.write_text("Host bastion\n HostName 127.0.0.1\n")
    assert look_up("bastion", config, must_exist=True).user == str(os.getuid())


def test_without_a_configuration_the_name_is_the_address(tmp_path):
    assert look_up("me@bastion", tmp_path / "none", must_exist=False) == Address("bastion", 22, "me")


def test_a_way_through_another_host_is_looked_up_too(tmp_path):
    ssh_config = tmp_path / "ssh_config"
    ssh_config.write_text("Host far\n ProxyJump near\nHost near\n HostName 198.51.100.7\n User me\n")
    jump = look_up("far", ssh_config, must_exist=True).jump
    assert jump
    assert (jump.user, jump.host, jump.port) == ("me", "198.51.100.7", 22)


def test_a_way_through_a_program_is_refused(tmp_path):
    ssh_config = tmp_path / "ssh_config"
    ssh_config.write_text("Host far\n ProxyCommand nc %h %p\n")
    with pytest.raises(NoBastionError, match="by way of a program"):
        look_up("far", ssh_config, must_exist=True)


async def test_interactive_keeps_streams_apart_and_hands_on_the_code(ssh_config):
    program = (
        "import pathlib, sys; from calico_lab.bastion import Bastion\n"
        "sys.exit(Bastion.find(pathlib.Path(sys.argv[1]), {}).interactive('cat; echo err >&2; exit 9'))"
    )
    client = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, ssh_config, stdin=-1, stdout=-1, stderr=-1
    )
    assert await client.communicate(b"typed") == (b"typed", b"err\n")
    assert client.returncode == 9
