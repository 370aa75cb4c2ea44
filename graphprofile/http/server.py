"""One server from start to end: what is refused at the start, what is waited for at the end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
import uvicorn

from graphprofile.errors import ConfigError, GraphProfileError, UsageError
from graphprofile.http.app import create_app
from graphprofile.http.audit import AuditLog
from graphprofile.http.freshness import Freshness
from graphprofile.http.gate import is_loopback
from graphprofile.http.keys import KeyRing
from graphprofile.http.limits import RateLimit
from graphprofile.http.metrics import Metrics
from graphprofile.http.protocol import BoundedProtocol
from graphprofile.http.service import Service
from graphprofile.http.stream import EventStream
from graphprofile.http.workers import Workers
from graphprofile.ingest.live import check_rows
from graphprofile.profiles import GraphProfile
from graphprofile.settings import HttpSettings

FAILURES = "30/minute"
WAITING_PER_THREAD = 16
LOOK_SECONDS = 1.0
GRACE_SECONDS = 30
KEEP_ALIVE_SECONDS = 30
BACKLOG = 512


@contextmanager
def serving(gp: GraphProfile, options: HttpSettings) -> Iterator[Service]:
    """What the handlers share, from the opening of the files to the last accepted event.

    Raises:
        ConfigError: A setting cannot be used, or others could reach the server without a key.
    """
    metrics = Metrics()
    rate, failures = RateLimit(options.rate_limit), RateLimit(FAILURES)
    with contextlib.ExitStack() as stack:
        keys = KeyRing(gp.settings.data_dir)
        stack.callback(keys.close)
        check_reach(options, keys)
        audit = AuditLog(gp.settings.data_dir, options.audit_days)
        stack.callback(audit.close)
        workers = Workers(
            options.threads, options.threads * WAITING_PER_THREAD, lambda: gp.store.cypher("RETURN 1")
        )
        fresh = Freshness(gp, metrics)
        stack.callback(fresh.settle, GRACE_SECONDS)
        stream = EventStream(gp, fresh, metrics)
        warming = threading.Thread(target=_warm_up, args=(gp,), name="graphprofile-warm", daemon=True)
        warming.start()
        stack.callback(warming.join, GRACE_SECONDS)
        stack.callback(stream.close)
        stack.callback(workers.close)
        yield Service(gp, options, keys, audit, workers, fresh, stream, failures, rate, metrics)


def _warm_up(gp: GraphProfile) -> None:
    """What the first request would otherwise wait for: the checks, the model, and the engine's plans."""
    with contextlib.suppress(GraphProfileError):
        check_rows([{}], gp.vocabulary)
        if gp.models.in_use():
            gp.models.model()
        # Nobody has an empty id: all statements are planned, and nothing is changed.
        gp.refresh([""])


def check_reach(options: HttpSettings, keys: KeyRing) -> None:
    """Refuse to be reached by others without a key, and a half of TLS.

    Raises:
        ConfigError: Says what to do.
    """
    if not is_loopback(options.host) and not keys.any():
        raise ConfigError(
            f"{options.host} can be reached from other machines, and there is no key yet.",
            "Make one first: `graphprofile keys create NAME --scope profiles:read`.",
        )
    if (options.tls_cert is None) != (options.tls_key is None):
        raise ConfigError("TLS needs both a certificate and its key.", "Give --tls-cert and --tls-key.")
    for path in (options.tls_cert, options.tls_key):
        if path is not None and not path.is_file():
            raise ConfigError(f"{path}: no such file.", "Mend --tls-cert or --tls-key.")


class Server(uvicorn.Server):
    """uvicorn, which says when it is there and turns new requests away while it goes down."""

    def __init__(self, config: uvicorn.Config, service: Service, ready: Callable[[str], None] | None) -> None:
        super().__init__(config)
        self._service, self._ready = service, ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        self._watching = asyncio.create_task(_watch(self._service))
        if self._ready is not None and self.started:
            self._ready(self.url)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what is under way, and end."""
        self._service.draining = True
        self._watching.cancel()
        await super().shutdown(sockets)

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        return f"{'https' if self.config.is_ssl else 'http'}://{shown}:{port}"


def make_server(service: Service, ready: Callable[[str], None] | None = None) -> Server:
    """A server for these handlers.

    Args:
        service: What they share.
        ready: Is told the address once it listens.

    Raises:
        ConfigError: The certificate cannot be used.
    """
    options = service.options
    config = uvicorn.Config(
        create_app(service),
        host=options.host,
        port=options.port,
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ssl_certfile=str(options.tls_cert) if options.tls_cert else None,
        ssl_keyfile=str(options.tls_key) if options.tls_key else None,
    )
    try:
        config.load()
        if config.ssl is not None:
            config.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
    except (ssl.SSLError, OSError) as error:
        raise ConfigError(
            f"{options.tls_cert}: cannot be used for TLS: {error}.", "Give PEM files."
        ) from error
    return Server(config, service, ready)


def bind(options: HttpSettings) -> socket.socket:
    """The socket to listen on.

    Raises:
        UsageError: The port is taken, or the address is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((options.host, options.port))
    except OSError as error:
        listening.close()
        raise UsageError(
            f"Cannot listen on {options.host}, port {options.port}: {error.strerror or error}.",
            "Choose another --port, or stop who listens there.",
        ) from error
    return listening


def serve(gp: GraphProfile, options: HttpSettings, ready: Callable[[str], None] | None = None) -> None:
    """Serve until SIGINT or SIGTERM; what was accepted is finished first.

    Raises:
        ConfigError: A setting cannot be used, or others could reach the server without a key.
        UsageError: The address cannot be listened on.
    """
    with serving(gp, options) as service, contextlib.closing(bind(options)) as listening:
        make_server(service, ready).run(sockets=[listening])


async def _watch(service: Service) -> None:
    """Look after the engine, and after rules and models that another process changes."""
    log, looking = structlog.get_logger(), asyncio.get_running_loop()
    was_up: bool | None = None
    while True:
        try:
            up = await looking.run_in_executor(None, service.workers.look)
            if up:
                await looking.run_in_executor(None, service.gp.forget_rules)
            if up != was_up:
                log.info("engine", up=up)
            was_up = up
        except GraphProfileError as error:
            log.warning("rules", code=error.code, message=error.message)
        await asyncio.sleep(LOOK_SECONDS)
