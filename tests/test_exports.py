"""What the package offers at its top."""

from __future__ import annotations

import subprocess
import sys

import graphprofile
from graphprofile import errors


def test_every_public_name_is_there_and_documented() -> None:
    for name in graphprofile.__all__:
        assert hasattr(graphprofile, name)
        if not name.startswith("__"):
            assert getattr(graphprofile, name).__doc__
    assert sorted(graphprofile.__all__) == graphprofile.__all__


def test_unknown_names_are_attribute_errors() -> None:
    assert not hasattr(graphprofile, "nothing_of_the_sort")


def test_the_exception_tree_in_the_docstring_is_complete() -> None:
    listed = set(errors.__doc__.split()) if errors.__doc__ else set()
    own = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    }
    assert own <= listed
    codes = [getattr(errors, name).code for name in own]
    assert len(set(codes)) == len(codes)


def test_the_version_is_one() -> None:
    from importlib.metadata import version

    assert version("graphprofile") == graphprofile.__version__
    shown = subprocess.run(
        [sys.executable, "-c", "from graphprofile.cli import main; main(['--version'])"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert graphprofile.__version__ in shown
