"""The bastion's SSH server, asked by a real SSH client; only the namespaces are this machine's own."""

import asyncio
import signal
import threading
import time

import asyncssh
import pytest
from support.bastion_server import HOST_KEY, USER_KEY, bastion_server


@pytest.fixture
async def address(tmp_path, monkeypatch):
    async with bastion_server(tmp_path, monkeypatch) as serving:
        yield serving


@pytest.fixture
async def connection(address):
    async with connect(address) as made:
        yield made


def connect(address, *, key=USER_KEY, user="user", **options):
    host, port = address
    trusted = asyncssh.import_known_hosts(f"[{host}]:{port} {HOST_KEY.export_public_key().decode()}")
    keys = [key] if key else None
    return asyncssh.connect(
        host, port, username=user, client_keys=keys, known_hosts=trusted, agent_path=None, config=None, **options
    )


async def test_output_errors_and_exit_code_come_back_apart(connection):
    done = await connection.run("echo out; echo err >&2; exit 7")
    assert (done.stdout, done.stderr, done.exit_status) == ("out\n", "err\n", 7)


async def test_a_command_reads_its_input_to_the_end(connection):
    done = await connection.run("wc -c", input="x" * 300_000)
    assert done.stdout.strip() == "300000"


async def test_long_output_arrives_whole(connection):
    done = await connection.run("head -c 3000000 /dev/zero", encoding=None)
    assert len(done.stdout) == 3_000_000


async def test_a_signal_is_told(connection):
    assert (await connection.run("kill -TERM $$")).exit_signal[0] == "TERM"


async def test_a_program_in_the_background_does_not_hold_the_session(connection):
    begun = time.monotonic()
    done = await connection.run("sleep 30 & echo started")
    assert done.stdout == "started\n"
    assert time.monotonic() - begun < 20


async def test_the_lab_s_commands_come_first_on_path(connection):
    assert (await connection.run("echo $PATH")).stdout.startswith("/opt/calico-lab/bin:")


async def test_no_kubeconfig_is_handed_down_from_the_lab_s_own_environment(connection, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", "/somebody/else")
    assert (await connection.run("echo ${KUBECONFIG-unset}")).stdout == "unset\n"


async def test_without_a_terminal_there_is_none(connection):
    assert (await connection.run("test -t 0 || test -t 1")).exit_status == 1


async def test_a_terminal_has_the_size_of_the_window(connection):
    done = await connection.run("stty size; tty", term_type="xterm", term_size=(90, 33))
    assert done.stdout.startswith("33 90\r\n/dev/pts/")


async def test_a_terminal_follows_the_window(connection):
    process = await connection.create_process("read line; stty size", term_type="xterm", term_size=(90, 33))
    process.change_terminal_size(100, 44)
    process.stdin.write("\n")
    assert "44 100" in await process.stdout.read()


@pytest.mark.parametrize("before", [signal.SIG_IGN, signal.default_int_handler])
async def test_ctrl_c_interrupts(connection, before):
    outside = signal.signal(signal.SIGINT, before)
    try:
        await _interrupt(connection)
    finally:
        signal.signal(signal.SIGINT, outside)


async def _interrupt(connection):
    # sh is killed by the signal; bash, asked a moment before it starts another program, would exit with 130.
    process = await connection.create_process("exec sh -c 'echo ready; read line'", term_type="xterm")
    assert await process.stdout.readline() == "ready\r\n"
    process.stdin.write("\x03")
    assert (await process.wait()).exit_signal[0] == "INT"


async def test_a_client_that_goes_away_takes_its_command_with_it(address, tmp_path):
    async with connect(address) as made:
        process = await made.create_process("trap '' HUP; (sleep 1.5; touch survived) & echo ready; wait")
        assert await process.stdout.readline() == "ready\n"
    await asyncio.sleep(2)
    assert not (tmp_path / "survived").exists()


async def test_another_key_is_refused(address):
    with pytest.raises(asyncssh.PermissionDenied):
        await connect(address, key=asyncssh.generate_private_key("ssh-ed25519"))


async def test_a_password_is_refused(address):
    with pytest.raises(asyncssh.PermissionDenied):
        await connect(address, key=None, password="user", preferred_auth="password,keyboard-interactive")


async def test_connections_are_not_forwarded(address, connection):
    with pytest.raises(asyncssh.ChannelOpenError):
        await connection.open_connection(*address)


async def test_ports_are_not_forwarded_back(connection):
    with pytest.raises(asyncssh.ChannelListenError):
        await connection.forward_remote_port("127.0.0.1", 0, "127.0.0.1", 1)


async def test_serving_starts_no_thread(connection):
    """A process of several threads may not enter another mount namespace."""
    await connection.run("true")
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("asyncio")] == []


@pytest.mark.parametrize(("user", "there"), [("worker1", "root"), ("root", "user"), ("anybody", "user")])
async def test_the_name_of_a_node_leads_there_and_any_other_to_the_bastion(address, user, there):
    async with connect(address, user=user) as connection:
        assert (await connection.run("echo $USER")).stdout.strip() == there
