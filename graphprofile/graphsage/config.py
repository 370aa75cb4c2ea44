"""Arguments of training, and what training reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from graphprofile.errors import UsageError
from graphprofile.graphsage.calibrate import Calibration

#: Called after each epoch with (epoch, number of epochs, figures); epochs of all fits are counted through.
Progress = Callable[[int, int, Mapping[str, Any]], None]

#: A graph of more events is large: what is tried on validation data is less, and steps are longer.
LARGE_EVENTS = 300_000

#: What scikit-learn takes.
MOST_SEED = 2**32 - 1


@dataclass(frozen=True)
class TrainConfig:
    """The recipe: everything that is not chosen on validation data.

    Attributes:
        dim: Columns that carry taste; a stored vector has two more.
        epochs: Longest training; validation may choose a shorter one.
        batch_users: Users per step; a graph of fewer than four times as many takes a quarter of its users.
        large: ``batch_users``, ``epochs`` and ``gamma`` of graphs of more than 300,000 events; None for the same as
            elsewhere.
        num_negatives: Negatives per step; with at most twice as many known objects the softmax is exact.
        temperature: The cosine is divided by it.
        learning_rate: Of Adam, after warm-up and before linear decay.
        input_fraction: Share of a user's interactions used as input where the rest is the target, and the other way
            round.
        row_dropout: Share of objects whose own row is dropped in a step, as if they had never been seen.
        description_scale: Weight of tags' and properties' first vectors.
        gamma: Weight of the hop object -> user -> object. Fixed: where it is learned it shrinks as training overfits.
        smooth_inputs: Whether the hop goes over inputs as over targets. Without it users who were kept out of training
            get worse lists, and those who were not hardly better ones.
        neutral: First weight of events with contribution 0 (a rating of 3 of 5, say).
        targets_power: A user with n targets weighs n to this power in the loss.
        user_half_lives_days: Half-lives of a user's events that validation chooses from; None is no decay.
        propagation: ``full`` (each step goes over the whole graph), ``sampled`` (over drawn neighbours of what the
            step needs), or ``auto``: full where a step fits into ``step_bytes``.
        step_bytes: Memory that a step over the whole graph may take.
        fanout: Where neighbours are drawn: users of an object, and objects of each of these.
        histories: ``random`` (any part of a history predicts the rest), ``sequence`` (the earlier part
            predicts the later), or ``auto`` (validation chooses; graphs of more than 300,000 events, where
            trying both costs minutes, take ``random``).
        seed: Of everything random.
        device: ``cuda``, ``cpu``, or ``auto``: CUDA where torch finds it.
        threads: Threads of torch; None for the cores this process may use, at most 4.
    """

    dim: int = 64
    epochs: int = 16
    batch_users: int = 1024
    large: tuple[int, int, float] | None = (1024, 20, 4.0)
    num_negatives: int = 4096
    temperature: float = 0.1
    learning_rate: float = 0.02
    input_fraction: float = 0.5
    row_dropout: float = 0.05
    description_scale: float = 0.3
    gamma: float = 2.0
    smooth_inputs: bool = True
    neutral: float = 0.5
    targets_power: float = 0.5
    user_half_lives_days: tuple[float | None, ...] = (None, 365.0, 90.0, 30.0)
    propagation: str = "auto"
    step_bytes: int = 4 << 30
    fanout: tuple[int, int] = (12, 12)
    histories: str = "auto"
    seed: int = 0
    device: str = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.histories not in ("random", "sequence", "auto"):
            raise UsageError(f"histories is {self.histories!r}", "Use random, sequence or auto.")
        if self.device not in ("auto", "cpu", "cuda"):
            raise UsageError(f"device is {self.device!r}", "Use auto, cpu or cuda.")
        if self.propagation not in ("full", "sampled", "auto"):
            raise UsageError(f"propagation is {self.propagation!r}", "Use full, sampled or auto.")
        if self.large is not None and (len(self.large) != 3 or min(self.large[:2]) < 1 or self.large[2] < 0):
            raise UsageError(f"large is {self.large!r}", "Give users, epochs and weight of the hop, or None.")
        if len(self.fanout) != 2 or min(self.fanout) < 1:
            raise UsageError(f"fanout is {self.fanout!r}", "Give two numbers of at least 1.")
        for name in ("dim", "epochs", "batch_users", "num_negatives"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} is {getattr(self, name)}", f"Give {name} of at least 1.")
        if not 0 <= self.seed <= MOST_SEED:
            raise UsageError(f"seed is {self.seed}", f"Give a seed from 0 to {MOST_SEED}.")
        if not 0 < self.input_fraction < 1 or not 0 <= self.row_dropout < 1 or self.temperature <= 0:
            raise UsageError(
                "input_fraction, row_dropout or temperature is outside its range",
                "input_fraction lies in (0, 1), row_dropout in [0, 1), temperature above 0.",
            )

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrainConfig:
        """From ``to_dict``; names this version does not know are passed over, and the device is this machine's."""
        names = {item.name for item in fields(cls)} - {"device"}
        known = {key: value for key, value in values.items() if key in names}
        # What was trained before there was such a distinction made none.
        known.setdefault("large", None)
        for name in ("user_half_lives_days", "fanout", "large"):
            if known.get(name) is not None:
                known[name] = tuple(known[name])
        return cls(**known)

    def sized(self, num_events: int) -> TrainConfig:
        """The recipe for a graph of so many events."""
        if self.large is None or num_events <= LARGE_EVENTS:
            return replace(self, large=None)
        batch_users, epochs, gamma = self.large
        return replace(self, batch_users=batch_users, epochs=epochs, gamma=gamma, large=None)

    def recipe(self) -> dict[str, Any]:
        """What makes two recipes the same: all arguments but where and by how many threads it is computed."""
        return {key: value for key, value in self.to_dict().items() if key not in ("device", "threads")}


@dataclass(frozen=True)
class Choices:
    """What validation chose for one graph.

    Attributes:
        epochs: Length of training.
        sequence: Whether earlier parts of histories predict later ones (else any part the rest).
        user_half_life_days: Half-life of a user's events against the user's latest; None for no decay.
        calibration: Weights of cosine and popularity.
    """

    epochs: int
    sequence: bool = False
    user_half_life_days: float | None = None
    calibration: Calibration = field(default_factory=Calibration)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        out = asdict(self)
        out["calibration"]["popularity"] = list(self.calibration.popularity)
        return out

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Choices:
        """From ``to_dict``."""
        found = dict(values.get("calibration") or {})
        known = {item.name for item in fields(Calibration)}
        calibration = {key: value for key, value in found.items() if key in known}
        if "popularity" in calibration:
            calibration["popularity"] = tuple(calibration["popularity"])
        return cls(
            epochs=int(values["epochs"]),
            sequence=bool(values.get("sequence", False)),
            user_half_life_days=values.get("user_half_life_days"),
            calibration=Calibration(**calibration),
        )
