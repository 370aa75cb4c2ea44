"""Models on disk: one folder per version, switched and rolled back by one small file.

::

    ROOT/models/m-20261122T213000-ab12/arrays.npz   vectors and learned tables
    ROOT/models/m-20261122T213000-ab12/model.json   arguments, metrics, what graph it saw, sha256 of them
    ROOT/models/m-20261122T213000-ab12/NOTE.json    what was measured of it later
    ROOT/models/in_use                              the version in use and the ones before it

A version is written into a temporary folder, flushed, and renamed: it is there as a whole or not at all.
Nothing is unpickled when reading.
"""

from __future__ import annotations

import hashlib
import io
import json
import secrets
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from graphprofile.disk import flush_folder, replace_file, write_file
from graphprofile.errors import ModelError, NoModel, NotFound, RegistryCorrupt
from graphprofile.graphsage.arrays import pack, unpack, unpack_text
from graphprofile.graphsage.fitted import FittedModel

#: Of versions without texts, and of versions that read them: older code would leave these out without a word.
FORMAT, FORMAT_WITH_TEXTS = 1, 2
_ARRAYS = "arrays.npz"
_DOCUMENT = "model.json"


@dataclass(frozen=True)
class ModelInfo:
    """One version, without its arrays.

    Attributes:
        version: Sortable by time of creation, ``m-20261122T213000-ab12``.
        created_at: ISO 8601 UTC.
        in_use: Whether it is the one in use.
        document: All of ``model.json``: ``config``, ``choices``, ``metrics``, ``graph`` (digest, time,
            counts), ``code_version``, ``files`` (sha256), and whatever the saver added.
    """

    version: str
    created_at: str
    in_use: bool
    document: dict[str, Any]


class Registry:
    """The models of one graph.

    Args:
        root: Folder of the graph's data; models lie in ``root/models``, which is made on the first save.
    """

    def __init__(self, root: str | Path) -> None:
        self.folder = Path(root) / "models"

    def save(
        self,
        model: FittedModel,
        *,
        metrics: Mapping[str, Any] | None = None,
        graph: Mapping[str, Any] | None = None,
        created_at: datetime | None = None,
        extra: Mapping[str, Any] | None = None,
        extra_arrays: Mapping[str, npt.NDArray[Any]] | None = None,
    ) -> str:
        """Writes a model as a new version and returns its name; does not put it to use.

        Args:
            model: The model.
            metrics: As ``TrainReport.metrics``.
            graph: What the model saw: digest, time, counts.
            created_at: Now by default.
            extra: More keys for ``model.json`` (split, reason, …).
            extra_arrays: More arrays to keep with the model's, for ``arrays``.

        Raises:
            BadVectors: The model's vectors must not be served.
            ModelError: The folder cannot be written (disk full, no permission); nothing is left behind.
        """
        model.check()
        now = (created_at or datetime.now(UTC)).astimezone(UTC)
        version = f"m-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
        target = self.folder / version
        scratch = self.folder / f".{version}.part"
        try:
            scratch.mkdir(parents=True)
            buffer = io.BytesIO()
            np.savez(buffer, allow_pickle=False, **{**(extra_arrays or {}), **pack(model)})
            write_file(scratch / _ARRAYS, buffer.getvalue())
            document = {
                **(extra or {}),
                "version": version,
                "format": FORMAT_WITH_TEXTS if model.encoder else FORMAT,
                "created_at": now.isoformat(timespec="seconds").replace("+00:00", "Z"),
                "code_version": _code_version(),
                "config": model.config,
                "choices": model.choices,
                "dimensions": model.dimensions,
                "objects": len(model.object_ids),
                "text_encoder": model.encoder,
                "newest_ts": model.newest_ts,
                "gamma": model.gamma,
                "user_half_life_days": model.user_half_life_days,
                "popularity_mean": model.popularity_mean,
                "popularity_factors": list(model.popularity_factors),
                "metrics": metrics,
                "graph": graph,
                "files": {_ARRAYS: hashlib.sha256(buffer.getvalue()).hexdigest()},
            }
            write_file(scratch / _DOCUMENT, json.dumps(document, indent=1, allow_nan=False).encode())
            flush_folder(scratch)
            scratch.rename(target)
            flush_folder(self.folder)
        except OSError as error:
            shutil.rmtree(scratch, ignore_errors=True)
            raise ModelError(
                f"the model could not be saved in {self.folder}: {error.strerror or error}",
                "Make room or give write permission there, then train again; the model in use stays.",
            ) from error
        return version

    def load(self, version: str | None = None) -> FittedModel:
        """Reads a version back.

        Args:
            version: The one in use by default.

        Raises:
            NoModel: None is in use.
            NotFound: There is no such version.
            RegistryCorrupt: A file is missing, truncated or changed; the message names it.
        """
        version = version or self._need_in_use()
        document = self._document(version)
        path = self.folder / version / _ARRAYS
        try:
            content = path.read_bytes()
        except OSError as error:
            raise _corrupt(path, error.strerror or str(error)) from error
        if hashlib.sha256(content).hexdigest() != document["files"].get(_ARRAYS):
            raise _corrupt(path, "its content is not what was saved (truncated or changed)")
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                return unpack(dict(arrays), document)
        except (ValueError, KeyError, zipfile.BadZipFile) as error:
            raise _corrupt(path, f"{error}") from error

    def object_array(self, version: str, name: str) -> dict[str, Any] | None:
        """One array over the objects of a version, by object id; None where the version keeps no such array.

        Only that array and the ids are read, not the vectors.

        Raises:
            NotFound: There is no such version.
            RegistryCorrupt: The file cannot be read back.
        """
        self._document(version)
        path = self.folder / version / _ARRAYS
        try:
            with np.load(path, allow_pickle=False) as arrays:
                if name not in arrays:
                    return None
                return dict(zip(unpack_text(arrays, "object_ids"), arrays[name].tolist(), strict=True))
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise _corrupt(path, f"{error}") from error

    def write_note(self, version: str, name: str, note: Mapping[str, Any]) -> None:
        """Keeps what was measured of a version after it was saved; replaces an earlier note of that name.

        Raises:
            NotFound: There is no such version.
            ModelError: The file cannot be written; an earlier note stays.
        """
        self._document(version)
        path = self.folder / version / f"{name}.json"
        try:
            replace_file(path, json.dumps(note, indent=1, allow_nan=False).encode())
        except OSError as error:
            raise ModelError(
                f"the note could not be saved: {path}: {error.strerror or error}",
                "Make room or give write permission there.",
            ) from error

    def read_note(self, version: str, name: str) -> dict[str, Any] | None:
        """What ``write_note`` kept; None where nothing was.

        Raises:
            RegistryCorrupt: The file cannot be read back.
        """
        path = self.folder / version / f"{name}.json"
        try:
            note = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise _corrupt(path, f"{error}") from error
        return note if isinstance(note, dict) else None

    def list(self) -> list[ModelInfo]:
        """All versions, oldest first; of one that cannot be read the document says ``problem`` and no more."""
        if not self.folder.is_dir():
            return []
        names = sorted(path.name for path in self.folder.iterdir() if path.is_dir() and path.name[0] != ".")
        found = []
        for name in names:
            try:
                found.append(self.show(name))
            except ModelError as error:
                # Who looks for a version to go back to must see the others.
                found.append(ModelInfo(name, "", False, {"problem": error.message}))
        return found

    def show(self, version: str | None = None) -> ModelInfo:
        """One version, the one in use by default.

        Raises:
            NoModel: None is in use.
            NotFound: There is no such version.
            RegistryCorrupt: Its ``model.json`` cannot be read.
        """
        version = version or self._need_in_use()
        document = self._document(version)
        return ModelInfo(version, document["created_at"], version == self.in_use(), document)

    def in_use(self) -> str | None:
        """The version in use, None if there is none."""
        stack = self._stack()
        return stack[-1] if stack else None

    def promote(self, version: str) -> None:
        """Puts a version to use.

        Raises:
            NotFound: There is no such version.
            RegistryCorrupt: It cannot be read back.
        """
        self.load(version)
        stack = self._stack()
        if not stack or stack[-1] != version:
            self._write_stack((*stack, version))

    def previous(self) -> str:
        """The version that was in use before the one in use.

        Raises:
            NoModel: There is none before.
        """
        stack = self._stack()
        if len(stack) < 2:
            raise NoModel(
                "no model was in use before this one",
                "Train another one, or choose one with: graphprofile models promote VERSION.",
            )
        return stack[-2]

    def rollback(self) -> str:
        """Puts the version to use that was in use before, and returns its name.

        Raises:
            NoModel: There is none before.
            RegistryCorrupt: It cannot be read back.
        """
        version = self.previous()
        self.load(version)
        self._write_stack(self._stack()[:-1])
        return version

    def _need_in_use(self) -> str:
        version = self.in_use()
        if version is None:
            raise NoModel("nothing has been trained yet", "Run: graphprofile train.")
        return version

    def _document(self, version: str) -> dict[str, Any]:
        path = self.folder / version / _DOCUMENT
        if Path(version).name != version or version.startswith(".") or not path.parent.is_dir():
            raise NotFound(f"there is no model {version!r}", "List them with: graphprofile models list.")
        try:
            document = json.loads(path.read_bytes())
        except OSError as error:
            raise _corrupt(path, error.strerror or str(error)) from error
        except ValueError as error:
            raise _corrupt(path, f"it is not JSON ({error})") from error
        if not isinstance(document, dict) or not {"files", "created_at", "config"} <= document.keys():
            raise _corrupt(path, "keys are missing")
        if document.get("format") not in (FORMAT, FORMAT_WITH_TEXTS):
            raise ModelError(
                f"model {version} has format {document.get('format')}, this code reads formats "
                f"{FORMAT} and {FORMAT_WITH_TEXTS}",
                "Use the graphprofile version that wrote it, or train again.",
            )
        return document

    def _stack(self) -> tuple[str, ...]:
        path = self.folder / "in_use"
        try:
            names = json.loads(path.read_bytes())["versions"]
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _corrupt(path, f"{error}") from error
        return tuple(str(name) for name in names)

    def _write_stack(self, names: tuple[str, ...]) -> None:
        try:
            replace_file(self.folder / "in_use", json.dumps({"versions": names}).encode())
        except OSError as error:
            raise ModelError(
                f"the model in use could not be switched in {self.folder}: {error.strerror or error}",
                "Make room or give write permission there; the model in use before stays.",
            ) from error


def _corrupt(path: Path, why: str) -> RegistryCorrupt:
    return RegistryCorrupt(
        f"the saved model cannot be read: {path}: {why}",
        "Roll back or promote another version (graphprofile models list), or train again.",
    )


def _code_version() -> str:
    try:
        return package_version("graphprofile")
    except PackageNotFoundError:
        return "unknown"
