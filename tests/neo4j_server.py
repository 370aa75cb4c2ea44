"""A real Neo4j 5.26 for the tests and for ``make neo4j``: jars from Maven Central, kept in a cache folder.

As a script it runs one in the foreground and prints how to reach it.
"""

from __future__ import annotations

import ctypes
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

VERSION = "5.26.19"
POM = Path(__file__).with_name("neo4j_pom.xml")
OPENS = ("java.nio", "java.io", "sun.nio.ch", "java.lang")
START_SECONDS = 300


class Unavailable(Exception):
    """Neo4j cannot be had on this machine; the message says what is missing and how to get it."""


def cache_folder() -> Path:
    """Where jars are kept between runs: ``GRAPHPROFILE_CACHE``, else ``~/.cache/graphprofile``."""
    return Path(os.environ.get("GRAPHPROFILE_CACHE") or Path.home() / ".cache" / "graphprofile")


def java() -> str:
    """The ``java`` program, 17 or newer."""
    advice = (
        "Install Java 17 or newer and Maven (Debian: apt-get install openjdk-17-jre-headless maven), "
        "or point GRAPHPROFILE_TEST_NEO4J_URI, _USER and _PASSWORD to a Neo4j whose content may be deleted."
    )
    home = os.environ.get("JAVA_HOME")
    program = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    if program is None:
        raise Unavailable(f"Neo4j needs Java, and there is no java here. {advice}")
    said = subprocess.run([program, "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "(\d+)', said.stderr + said.stdout)
    if found is None or int(found.group(1)) < 17:
        raise Unavailable(f"Neo4j needs Java 17 or newer; {program} is another one. {advice}")
    return program


def jars() -> Path:
    """The folder with Neo4j's jars, filled through Maven the first time."""
    folder = cache_folder() / f"neo4j-{VERSION}" / "lib"
    if folder.is_dir():
        return folder
    maven = shutil.which("mvn")
    if maven is None:
        raise Unavailable("Neo4j's jars come through Maven, and there is no mvn here. Install Maven 3.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.parent / "lock"), tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        if folder.is_dir():
            return folder
        command = [maven, "-q", "-B", "-f", str(POM), "dependency:copy-dependencies"]
        command += [f"-DoutputDirectory={scratch}/lib", "-DincludeScope=runtime"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Unavailable(f"Maven could not fetch Neo4j {VERSION}: {(done.stdout + done.stderr)[-500:]}")
        Path(scratch, "lib").rename(folder)
    return folder


def die_with_parent() -> None:
    """In the child, before Java: a server must not outlive tests that were killed (Linux can see to that)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Neo4jServer:
    """A running server.

    Attributes:
        uri: Its Bolt address.
        user: ``neo4j``.
        password: The password made for it.
        process: The Java process, None for a server that somebody else runs.
        home: Where its data lie, None for a server that somebody else runs.
    """

    uri: str
    user: str
    password: str
    process: subprocess.Popen[bytes] | None = None
    home: Path | None = None

    @classmethod
    def start(
        cls,
        home: Path,
        *,
        port: int | None = None,
        password: str | None = None,
        heap: str = "768m",
        page_cache: str = "128m",
    ) -> Neo4jServer:
        """Start one with its data under ``home``; returns when Bolt answers."""
        program, lib = java(), jars()
        port = port or free_port()
        secret = password or secrets.token_hex(16)
        (home / "conf").mkdir(parents=True, exist_ok=True)
        (home / "conf" / "neo4j.conf").write_text(
            "server.default_listen_address=127.0.0.1\n"
            f"server.bolt.listen_address=127.0.0.1:{port}\n"
            f"server.bolt.advertised_address=127.0.0.1:{port}\n"
            "server.http.enabled=false\nserver.https.enabled=false\ndbms.usage_report.enabled=false\n"
            f"server.memory.heap.max_size={heap}\nserver.memory.pagecache.size={page_cache}\n"
            "dbms.memory.transaction.total.max=0\n"
        )
        environment = {**os.environ, "NEO4J_HOME": str(home), "NEO4J_CONF": str(home / "conf")}
        if not (home / "data" / "dbms" / "auth.ini").exists():
            admin = [program, "-cp", f"{lib}/*", "org.neo4j.cli.AdminTool"]
            subprocess.run(
                [*admin, "dbms", "set-initial-password", secret],
                env=environment,
                check=True,
                capture_output=True,
            )
        command = [program, f"-Xms{heap}", f"-Xmx{heap}", "-Dio.netty.tryReflectionSetAccessible=true"]
        command += [f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in OPENS]
        command += ["-cp", f"{home}/conf/*:{lib}/*", "org.neo4j.server.CommunityEntryPoint"]
        command += [f"--home-dir={home}", f"--config-dir={home}/conf", "--console-mode"]
        with (home / "console.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=1):
                    return cls(f"neo4j://127.0.0.1:{port}", "neo4j", secret, process, home)
            except OSError:
                time.sleep(0.2)
        process.kill()
        process.wait()
        raise Unavailable(f"Neo4j did not start: {(home / 'console.log').read_text()[-1000:]}")

    def stop(self) -> None:
        """End it, in order where it can."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def main() -> int:
    """Run one in the foreground; its data and its password stay in the cache folder."""
    home = cache_folder() / f"neo4j-{VERSION}" / "home"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = home / "password"
    if not kept.exists():
        descriptor = os.open(kept, os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(os.environ.get("NEO4J_PASSWORD") or secrets.token_hex(16))
    try:
        server = Neo4jServer.start(
            home, port=int(os.environ.get("NEO4J_PORT", "7687")), password=kept.read_text().strip(), heap="1g"
        )
    except Unavailable as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Neo4j {VERSION} answers. In another shell:\n")
    print(f"  export GRAPHPROFILE_URI={server.uri}")
    print(f"  export GRAPHPROFILE_USER={server.user}")
    print(f'  export GRAPHPROFILE_PASSWORD="$(cat {kept})"\n')
    print("Ctrl-C ends it; its data stays.", flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        assert server.process is not None
        return server.process.wait()
    except KeyboardInterrupt:
        server.stop()
        return 0


if __name__ == "__main__":
    sys.exit(main())
