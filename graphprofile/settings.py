"""Settings: arguments, then the environment (``GRAPHPROFILE_…``), then ``graphprofile.toml``, then defaults."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from graphprofile.errors import ConfigError
from graphprofile.vocabulary import DEFAULT_EVENTS, Vocabulary

CONFIG_NAME = "graphprofile.toml"


class HttpSettings(BaseModel):
    """How ``serve`` answers: the table ``[http]``.

    Attributes:
        host: Where to listen; anything but this machine alone needs a key.
        port: TCP port; 0 takes a free one.
        tls_cert: Certificate chain, PEM; with ``tls_key`` the server speaks HTTPS.
        tls_key: Its private key, PEM.
        private_properties: Properties that only keys made with ``--show`` (or admin) see, on every path.
        allowed_hosts: Names it answers to besides this machine's own.
        cors_origins: Origins whose pages may ask it, e.g. ``https://shop.example``.
        rate_limit: How often a key may ask.
        max_body_bytes: Largest body of a request.
        max_events: Most events, descriptions or ids in one request.
        body_seconds: How long a body may take to come.
        threads: Calls to the engine at once.
        audit_days: How long lines of the audit log are kept.
        insight_seconds: How long an insight, an audience, or a recommendation that looks at everything may take.
        method_events: Events of the largest graph that a classic method learns from (``method=als``).
        console_seconds: How long it may work on a query of ``POST /v1/cypher``.
        console_rows: Most rows of its answer.
    """

    model_config = ConfigDict(extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=8800, ge=0, le=65_535)
    tls_cert: Path | None = None
    tls_key: Path | None = None
    private_properties: list[str] = []
    allowed_hosts: list[str] = []
    cors_origins: list[str] = []
    rate_limit: str = "12000/minute"
    max_body_bytes: int = Field(default=16 * 1024 * 1024, ge=1_024)
    max_events: int = Field(default=10_000, ge=1)
    body_seconds: float = Field(default=30.0, gt=0)
    threads: int = Field(default=16, ge=1, le=256)
    audit_days: int = Field(default=400, ge=1)
    insight_seconds: float = Field(default=60.0, gt=0, le=86_400)
    method_events: int = Field(default=2_000_000, ge=1)
    console_seconds: float = Field(default=15.0, gt=0, le=86_400)
    console_rows: int = Field(default=1_000, ge=1, le=100_000)


class Settings(BaseSettings):
    """How to reach the graph, and the rules that hold in it.

    Attributes:
        uri: Bolt address (``neo4j://host:7687``); None means the embedded engine.
        user: User name on the server.
        password: Its password; never shown.
        database: Database on the server; None takes the server's default.
        silent_seconds: How long the server's machine may answer nothing before a connection is given up; 0 leaves
            that to the operating system.
        data_dir: Folder of the embedded store, the model registry and the quarantine.
        heap_size: Java heap of the embedded engine, e.g. ``1g``.
        durable: Flush the embedded engine's log at every commit (survives a power cut, slower).
        retry_seconds: How long transient errors and write conflicts are retried, from the first one on.
        dimensions: Length of the learned vectors.
        available_property: Property of items and content that is false on what cannot be had now.
        retrain_psi: ``update`` trains where an input's population stability index is above this (and above what
            chance gives); None never.
        retrain_moved: The same for 1 - cosine of the users' vectors then and now, on average.
        retrain_ndcg_drop: The same for the share of NDCG@20 lost, as ``drift --metrics`` measured it last.
        vocabulary: Event rules and half-lives; None where no file declares any (the graph's own are used).
        http: How ``serve`` answers.
    """

    model_config = SettingsConfigDict(env_prefix="GRAPHPROFILE_", extra="forbid", populate_by_name=True)

    uri: str | None = None
    user: str = "neo4j"
    password: SecretStr | None = None
    database: str | None = None
    silent_seconds: float = Field(default=300.0, ge=0, le=43_200)
    data_dir: Path = Field(
        default=Path("graphprofile-data"), validation_alias=AliasChoices("data_dir", "GRAPHPROFILE_DATA")
    )
    heap_size: str = Field(default="1g", pattern=r"^\d+[mg]$")
    durable: bool = False
    retry_seconds: float = Field(default=60.0, gt=0)
    dimensions: int = Field(default=64, ge=8, le=1024)
    available_property: str = Field(default="available", min_length=1)
    retrain_psi: float | None = Field(default=None, gt=0)
    retrain_moved: float | None = Field(default=None, gt=0, le=2)
    retrain_ndcg_drop: float | None = Field(default=None, gt=0, lt=1)
    vocabulary: Vocabulary | None = None
    http: HttpSettings = HttpSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments before environment; the file is handed in by :func:`resolve`."""
        return (init_settings, env_settings)


def read_config(path: Path) -> dict[str, Any]:
    """The content of a ``graphprofile.toml`` as keyword arguments of :class:`Settings`.

    Tables: ``[connection]`` (uri, user, database, silent_seconds), ``[store]`` (data_dir, heap_size, durable,
    retry_seconds), ``[embeddings]`` (dimensions), ``[recommend]`` (available_property), ``[drift]`` (retrain_psi,
    retrain_moved, retrain_ndcg_drop), ``[http]`` (the fields of :class:`HttpSettings`), ``[interests]``
    (half_life_short_days, half_life_long_days) and ``[events.NAME]``.

    Raises:
        ConfigError: No such file, no TOML, or unknown tables and keys.
    """
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file.", "`graphprofile init` writes one.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}.", "Mend the TOML there.") from error
    allowed = {
        "connection": {"uri", "user", "database", "silent_seconds"},
        "store": {"data_dir", "heap_size", "durable", "retry_seconds"},
        "embeddings": {"dimensions"},
        "recommend": {"available_property"},
        "drift": {"retrain_psi", "retrain_moved", "retrain_ndcg_drop"},
        "interests": {"half_life_short_days", "half_life_long_days"},
        "http": set(HttpSettings.model_fields),
        "events": None,
    }
    values: dict[str, Any] = {}
    for table, content in document.items():
        if table not in allowed or not isinstance(content, dict):
            raise ConfigError(f"{path}: unknown table [{table}].", f"Known: {', '.join(allowed)}.")
        keys = allowed[table]
        if keys is None:
            continue
        for key, value in content.items():
            if key not in keys:
                raise ConfigError(
                    f"{path}: unknown key {key!r} in [{table}].", f"Known: {', '.join(sorted(keys))}."
                )
            if table not in ("interests", "http"):
                values[key] = value
    if "http" in document:
        values["http"] = dict(document["http"])
        for name in ("tls_cert", "tls_key"):
            if name in values["http"]:
                values["http"][name] = path.parent / str(values["http"][name])
    if "data_dir" in values:
        values["data_dir"] = path.parent / str(values["data_dir"])
    if "events" in document or "interests" in document:
        rules = {**DEFAULT_EVENTS, **document.get("events", {})}
        try:
            values["vocabulary"] = Vocabulary.model_validate(
                {"events": rules, **document.get("interests", {})}
            )
        except ValidationError as error:
            raise ConfigError(f"{path}: {explain(error)}", "Mend the file.") from error
    return values


def resolve(config: str | Path | None = None, **arguments: Any) -> Settings:
    """Settings from arguments, environment, file and defaults, in that order.

    Args:
        config: Path of the file; None takes ``graphprofile.toml`` in the current folder if it is there.
        **arguments: Fields of :class:`Settings`; None means not given.

    Raises:
        ConfigError: A file or a value cannot be used; names file, table and key.
    """
    path = Path(config) if config is not None else Path(CONFIG_NAME)
    values = read_config(path) if config is not None or path.is_file() else {}
    for name in list(values):
        alias = "GRAPHPROFILE_DATA" if name == "data_dir" else f"GRAPHPROFILE_{name.upper()}"
        if os.environ.get(alias):
            del values[name]
    values.update({name: value for name, value in arguments.items() if value is not None})
    try:
        return Settings(**values)
    except ValidationError as error:
        raise ConfigError(f"Settings: {explain(error)}", "Mend the value.") from error


def explain(error: ValidationError) -> str:
    """A pydantic error in one line: where and what, each once, no secret values."""
    return "; ".join(
        f"{'.'.join(str(part) for part in item['loc']) or 'value'}: {item['msg']}"
        for item in error.errors(include_input=False, include_url=False)
    )


TEMPLATE = """# graphprofile settings. Every line is optional; what stands here are the defaults.

# [connection]
# uri = "neo4j://127.0.0.1:7687"     # without a uri the embedded engine is used
# user = "neo4j"                     # the password comes from GRAPHPROFILE_PASSWORD or --password-file
# database = "neo4j"
# silent_seconds = 300               # a connection whose other end answers nothing is given up; 0: never by us

# [store]
# data_dir = "graphprofile-data"
# heap_size = "1g"
# durable = false                    # true: survives a power cut, commits are slower

# [embeddings]
# dimensions = 64

# [recommend]
# available_property = "available"   # false on what cannot be had: left out by `recommend --available`

# [drift]                            # when `update` trains again; without these lines it never does
# retrain_psi = 0.25                 # an input's population stability index
# retrain_moved = 0.2                # 1 - cosine of the users' vectors then and now
# retrain_ndcg_drop = 0.2            # share of NDCG@20 lost, as `drift --metrics` measured it last

# [http]                             # what `graphprofile serve` does
# host = "127.0.0.1"                 # anything but this machine alone needs a key: `graphprofile keys create`
# port = 8800
# private_properties = ["email"]     # seen only with a key made with --show
# rate_limit = "12000/minute"        # per key

[interests]
half_life_short_days = 7
half_life_long_days = 90

# What each event says about a person's interest:
#   score = weight x m(value) x weight of the tag x 2^(-age / half-life)
#   value: "ignored" m = 1 | "amount" m = log(1 + |value|) | "rating" m = value - neutral
#   minimum, maximum: values outside are put into quarantine; of a rating also scale = [1, 5], whose middle is neutral
#   objects: the kinds of thing the event is about: item, content, user
#   feedback: "explicit" is what people say (ratings, likes, answers), "implicit" is what they do
{events}"""


def template() -> str:
    """The text of a new ``graphprofile.toml``: the defaults, spelled out."""
    blocks = []
    for name, rule in DEFAULT_EVENTS.items():
        lines = [f"[events.{name}]", f'type = "{rule.type}"', f"weight = {rule.weight:g}"]
        if rule.value != "ignored":
            lines.append(f'value = "{rule.value}"')
        if rule.value == "rating":
            lines.append(f"neutral = {rule.neutral:g}")
        if rule.minimum is not None:
            lines.append(f"minimum = {rule.minimum:g}")
        if rule.maximum is not None:
            lines.append(f"maximum = {rule.maximum:g}")
        if rule.feedback == "explicit":
            lines.append('feedback = "explicit"')
        lines.append("objects = [" + ", ".join(f'"{kind}"' for kind in rule.objects) + "]")
        blocks.append("\n".join(lines))
    return TEMPLATE.format(events="\n" + "\n\n".join(blocks) + "\n")
