"""The embedded store and several processes: one owner, found by the others, outlived by the work."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from graphprofile import queries
from graphprofile.errors import EngineError, EngineUnavailable
from graphprofile.settings import Settings
from graphprofile.store import Store, Transaction, embedded

STATEMENTS = {
    "test/add": "CREATE (:User {id: $id})",
    "test/count": "MATCH (u:User) RETURN count(u) AS n",
}
SETUP = """
import sys, os, time
from graphprofile import queries
from graphprofile.settings import Settings
from graphprofile.store import Store, embedded
real = queries.text
statements = {"test/add": "CREATE (:User {id: $id})", "test/count": "MATCH (u:User) RETURN count(u) AS n"}
queries.text = lambda name, *types: statements.get(name) or real(name, *types)
settings = Settings(data_dir=sys.argv[1], heap_size="256m")
def say(*words): print(*words, flush=True)
"""


@pytest.fixture(autouse=True)
def _test_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[..., str] = queries.text
    monkeypatch.setattr(queries, "text", lambda name, *types: STATEMENTS.get(name) or real(name, *types))


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """A store of the test's own, so that its owner may be killed."""
    made = Settings(data_dir=tmp_path / "data", heap_size="256m", retry_seconds=60)
    yield made
    owner = embedded.status(made)
    if owner.pid is not None:
        os.kill(owner.pid, signal.SIGKILL)


def owner_file(settings: Settings) -> Path:
    return settings.data_dir / "store" / "owner.json"


def owner_pid(settings: Settings) -> int:
    return int(json.loads(owner_file(settings).read_text())["pid"])


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def other_process(settings: Settings, code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SETUP + code, str(settings.data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def finish(process: subprocess.Popen[str], word: str = "\n") -> tuple[str, str]:
    """Let it go on, and what it then said on stdout and stderr."""
    return process.communicate(word, timeout=60)


def add(store: Store, user: str) -> None:
    store.write(lambda tx: tx.run("test/add", id=user))


def count(store: Store) -> int:
    return int(store.read("test/count")[0]["n"])


def test_what_it_leaves_on_disk_is_for_this_user_only(settings: Settings) -> None:
    with Store.open(settings) as store:
        add(store, "u1")
        folder = settings.data_dir / "store"
        assert folder.stat().st_mode & 0o777 == 0o700
        assert owner_file(settings).stat().st_mode & 0o777 == 0o600
        assert [path for path in folder.rglob("*") if path.stat().st_mode & 0o077] == []


def test_ends_with_the_last_client_and_keeps_the_data(settings: Settings) -> None:
    with Store.open(settings) as store:
        add(store, "u1")
        pid = owner_pid(settings)
        with Store.open(settings) as second:
            assert count(second) == 1
        assert not gone(pid)
    assert gone(pid)
    assert not owner_file(settings).exists()
    assert embedded.status(settings) == embedded.OwnerStatus(running=False)
    with Store.open(settings) as store:
        assert count(store) == 1
        assert owner_pid(settings) != pid


def test_listens_on_loopback_only_and_on_two_ports(settings: Settings) -> None:
    with Store.open(settings):
        owner = psutil.Process(owner_pid(settings))
        listening = [c.laddr for c in owner.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
        assert {address.ip for address in listening} <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
        document = json.loads(owner_file(settings).read_text())
        assert {address.port for address in listening} == {document["bolt_port"], document["control_port"]}


def test_another_process_uses_the_same_owner(settings: Settings) -> None:
    with Store.open(settings) as store:
        add(store, "u1")
        code = "with Store.open(settings) as s:\n s.write(lambda tx: tx.run('test/add', id='u2'))\n"
        code += " say(embedded.status(settings).pid)"
        said, errors = finish(other_process(settings, code))
        assert (said.strip(), errors) == (str(owner_pid(settings)), "")
        assert count(store) == 2


def test_two_processes_that_start_at_once_find_one_owner(settings: Settings) -> None:
    code = "with Store.open(settings) as s:\n say(embedded.status(settings).pid)\n sys.stdin.readline()"
    processes = [other_process(settings, code) for _ in range(3)]
    pids = {line(process) for process in processes}
    for process in processes:
        assert finish(process) == ("", "")
    assert len(pids) == 1
    assert gone(int(pids.pop()))


def test_work_goes_on_when_the_owner_is_killed(settings: Settings) -> None:
    with Store.open(settings) as store:
        for number in range(20):
            add(store, f"u{number}")
        killed = owner_pid(settings)
        os.kill(killed, signal.SIGKILL)
        add(store, "after")
        assert count(store) == 21
        assert owner_pid(settings) != killed


def test_unit_of_work_in_which_the_owner_is_killed_is_done_once(settings: Settings) -> None:
    with Store.open(settings) as store:
        add(store, "u0")
        attempts = []

        def work(tx: Transaction) -> None:
            attempts.append(1)
            tx.run("test/add", id="u1")
            if len(attempts) == 1:
                os.kill(owner_pid(settings), signal.SIGKILL)
            tx.run("test/add", id="u2")

        store.write(work)
        assert len(attempts) == 2
        assert count(store) == 3


def test_clients_agree_on_a_new_owner(settings: Settings) -> None:
    code = (
        "with Store.open(settings) as s:\n say('ready')\n sys.stdin.readline()\n"
        " s.write(lambda tx: tx.run('test/add', id='other'))\n say(embedded.status(settings).pid)"
    )
    with Store.open(settings) as store:
        other = other_process(settings, code)
        assert line(other) == "ready"
        os.kill(owner_pid(settings), signal.SIGKILL)
        add(store, "mine")
        said, errors = finish(other)
        assert (said.strip(), errors) == (str(owner_pid(settings)), "")
        assert count(store) == 2


def test_owner_ends_when_its_only_client_is_killed(settings: Settings) -> None:
    code = "s = Store.open(settings)\nsay(embedded.status(settings).pid)\nsys.stdin.readline()"
    client = other_process(settings, code)
    pid = int(line(client))
    client.kill()
    client.communicate()
    assert wait_for(lambda: gone(pid))


def test_killed_client_leaves_no_half_of_its_transaction(settings: Settings) -> None:
    code = (
        "def work(tx):\n tx.run('test/add', id='half')\n say('written')\n time.sleep(60)\n"
        "Store.open(settings).write(work)"
    )
    with Store.open(settings) as store:
        add(store, "u1")
        client = other_process(settings, code)
        assert line(client) == "written"
        client.kill()
        client.communicate()
        add(store, "half")
        assert count(store) == 2


def test_told_to_end_it_waits_for_the_transaction_under_way(settings: Settings) -> None:
    with Store.open(settings) as store:
        add(store, "u0")
        pid = owner_pid(settings)
        attempts = []

        def work(tx: Transaction) -> None:
            attempts.append(1)
            tx.run("test/add", id="slow-1")
            os.kill(pid, signal.SIGTERM)
            time.sleep(2)
            tx.run("test/add", id="slow-2")

        store.write(work)
        assert len(attempts) == 1
        assert wait_for(lambda: gone(pid))
        assert count(store) == 3


def server_at(port: int) -> socket.socket:
    """A server at the port of a process that was killed a moment ago, as soon as the system gives it up."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return socket.create_server(("127.0.0.1", port))
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def test_file_of_a_dead_owner_is_ignored(settings: Settings) -> None:
    with Store.open(settings) as store:
        add(store, "u1")
        os.kill(owner_pid(settings), signal.SIGKILL)
    left = json.loads(owner_file(settings).read_text())
    with server_at(left["control_port"]) as stranger:
        # Somebody else has got the port in the meantime and answers nonsense.
        def answer() -> None:
            connection, _ = stranger.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with Store.open(settings) as store:
            assert count(store) == 1
            assert owner_pid(settings) != left["pid"]
        thread.join()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}', "\x00\xff"])
def test_broken_owner_file_is_ignored(settings: Settings, content: str) -> None:
    owner_file(settings).parent.mkdir(parents=True)
    owner_file(settings).write_text(content)
    assert embedded.status(settings).running is False


def test_up_stays_and_down_ends(settings: Settings) -> None:
    assert embedded.down(settings).running is False
    first = embedded.up(settings)
    assert first.running
    assert first.stays
    assert embedded.up(settings).pid == first.pid
    with Store.open(settings) as store:
        add(store, "u1")
    assert embedded.status(settings) == embedded.OwnerStatus(True, first.pid, stays=True)
    assert embedded.down(settings).running is False
    assert first.pid is not None
    assert gone(first.pid)


def test_down_leaves_it_to_those_who_use_it(settings: Settings) -> None:
    embedded.up(settings)
    with Store.open(settings) as store:
        left = embedded.down(settings, wait_seconds=0.5)
        assert left.running
        assert not left.stays
        assert left.clients == (os.getpid(),)
        add(store, "u1")
        pid = owner_pid(settings)
    assert wait_for(lambda: gone(pid))


def test_durable_is_never_silently_less(settings: Settings) -> None:
    durable = settings.model_copy(update={"durable": True})
    with Store.open(settings):
        with pytest.raises(EngineError, match="durable") as raised:
            Store.open(durable)
        assert "down" in str(raised.value.hint)
    with Store.open(durable) as store, Store.open(settings):
        add(store, "u1")


def test_ctrl_c_ends_program_and_engine(settings: Settings) -> None:
    code = (
        "s = Store.open(settings)\nsay(embedded.status(settings).pid)\ni = 0\n"
        "while True:\n i += 1\n s.write(lambda tx: tx.run('test/add', id=str(i)))\n"
    )
    client = other_process(settings, code)
    pid = int(line(client))
    time.sleep(0.5)
    started = time.monotonic()
    client.send_signal(signal.SIGINT)
    said, errors = finish(client)
    assert said == ""
    assert errors.splitlines()[-1] == "KeyboardInterrupt"
    assert client.returncode == -signal.SIGINT
    assert time.monotonic() - started < 20
    assert gone(pid)


def test_says_nothing_on_its_own_and_closes_at_exit(settings: Settings) -> None:
    process = other_process(settings, "store = Store.open(settings)\nprint(embedded.status(settings).pid)")
    said, errors = finish(process)
    assert process.returncode == 0
    assert errors == ""
    assert gone(int(said))


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineUnavailable, match="cannot be kept there") as raised:
        Store.open(Settings(data_dir=tmp_path / "file" / "data"))
    assert "GRAPHPROFILE_DATA" in str(raised.value.hint)


def test_folder_that_is_somebody_elses(tmp_path: Path) -> None:
    (tmp_path / "store" / "engine.log").mkdir(parents=True)
    with pytest.raises(EngineUnavailable, match=r"engine\.log: .* cannot be kept there"):
        Store.open(Settings(data_dir=tmp_path))


def test_engine_that_cannot_start_names_its_log(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="did not start") as raised:
        Store.open(Settings(data_dir=tmp_path, heap_size="1m"))
    assert str(tmp_path / "store" / "engine.log") in str(raised.value.hint)


def test_vector_index_survives_a_killed_owner(settings: Settings) -> None:
    with Store.open(settings) as store:
        store.create_vector_index("User", 2)
        store.cypher("CREATE (:User {id: 'u', embedding: [1.0, 0.0]})", read_only=False)
        os.kill(owner_pid(settings), signal.SIGKILL)
        assert store.vector_search("User", [1.0, 0.0], 1)[0][0] == "u"
        store.create_vector_index("User", 3)
