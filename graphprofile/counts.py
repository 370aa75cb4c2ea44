"""How much a graph holds: nodes by label, events by type."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphprofile.store import Store
    from graphprofile.vocabulary import Vocabulary

LABELS = {"User": "users", "Item": "items", "Content": "contents", "Tag": "tags"}


def count_users(store: Store) -> int:
    """How many users there are."""
    return int(store.read("status/count_users")[0]["nodes"])


def count_nodes(store: Store) -> dict[str, int]:
    """How many nodes there are of each label, without labels that have none.

    A statement for each: engines know the answer to that.
    """
    counts = {
        label: int(store.read(f"status/count_{plural}")[0]["nodes"]) for label, plural in LABELS.items()
    }
    return {label: count for label, count in counts.items() if count}


def count_events(store: Store, vocabulary: Vocabulary) -> dict[str, int]:
    """How many events there are of each declared type, by its name, without types that have none."""
    found = {}
    for name, rule in sorted(vocabulary.events.items()):
        count = store.read("status/count_events", event_types=(rule.type,))[0]["events"]
        if count:
            found[name] = int(count)
    return found
