"""Titles and texts as vectors, by a sentence encoder that ships in a package: nothing is downloaded.

The encoder is WordLlama (an extra: ``pip install 'graphprofile[text]'``): the mean of static vectors of a text's
tokens, which were distilled from the token table of a large language model. A text's vector depends on that text
alone.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from graphprofile.errors import ModelError

if TYPE_CHECKING:
    import numpy.typing as npt

DIMENSIONS = 64
LONGEST = 2_000
PROPERTIES = ("title", "description", "text", "notes")
"""Properties that are read as text, in this order."""
_FILES = "weights/l2_supercat_256.safetensors", "tokenizers/l2_supercat_tokenizer_config.json"


class Encoder:
    """Text to vectors.

    Attributes:
        name: Package, a hash of its files, and dimensions; vectors of another name cannot be compared with these.

    Raises:
        ModelError: The package is there and cannot be used.
    """

    def __init__(self) -> None:
        root = logging.getLogger()
        handlers, level = list(root.handlers), root.level
        try:
            import wordllama

            # Left to itself it looks for its own files elsewhere, and downloads them.
            folder = Path(wordllama.__file__).parent
            self._model = wordllama.WordLlama.load(
                cache_dir=folder, trunc_dim=DIMENSIONS, disable_download=True
            )
            files = hashlib.sha256()
            for name in _FILES:
                files.update((folder / name).read_bytes())
        except Exception as error:
            raise ModelError(
                f"The encoder of texts cannot be used: {type(error).__name__}: {error}",
                "Install it anew, `pip install --force-reinstall 'graphprofile[text]'`, or remove it: "
                "`pip uninstall wordllama`.",
            ) from error
        finally:
            # The package sets up the logging of whole programs when it is imported.
            root.handlers[:] = handlers
            root.setLevel(level)
        self.name = f"wordllama {files.hexdigest()[:12]}, {DIMENSIONS} dimensions"

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Unit vectors, zero for an empty text, float32 [n, DIMENSIONS]."""
        out = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        said = [place for place, text in enumerate(texts) if text]
        if said:
            vectors = np.asarray(self._model.embed([texts[place] for place in said]), dtype=np.float64)
            length = np.linalg.norm(vectors, axis=1, keepdims=True)
            out[said] = vectors / np.where(length > 0, length, 1.0)
        return out


@cache
def encoder() -> Encoder | None:
    """The encoder, read once; None where its package is not installed."""
    return Encoder() if importlib.util.find_spec("wordllama") else None


def text_of(properties: Mapping[str, Any]) -> str:
    """What is read of an object: its title and texts, up to ``LONGEST`` characters, empty where it has none."""
    parts = (properties.get(name) for name in PROPERTIES)
    return "\n".join(part.strip() for part in parts if isinstance(part, str) and part.strip())[:LONGEST]
