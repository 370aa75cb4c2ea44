"""The samples of the loaders, into both engines: twice, in any order of files, the graph is the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from conftest import empty
from test_access_log import TestContract as AccessLog
from test_activity_streams import TestContract as ActivityStreams
from test_contacts import TestCards as Contacts
from test_segment import TestContract as Segment
from test_shopify_orders import TestContract as ShopifyOrders
from test_survey import TestLimeSurvey as Survey
from test_xapi import TestContract as Xapi

from graphprofile import GraphProfile
from graphprofile.settings import Settings
from graphprofile.store import Store
from graphprofile.testing import LoaderContract

CONTRACTS: list[LoaderContract] = [
    *(AccessLog(), ActivityStreams(), Contacts(), Segment()),
    *(ShopifyOrders(), Survey(), Xapi()),
]
del AccessLog, ActivityStreams, Contacts, Segment, ShopifyOrders, Survey, Xapi


def test_every_loader_gives_the_same_graph_whole_and_in_parts(
    settings_for_store: Settings, tmp_path: Path
) -> None:
    with GraphProfile(Store.open(settings_for_store), settings_for_store) as gp:
        for contract in CONTRACTS:
            name = type(contract).loader().name
            folder = tmp_path / name
            folder.mkdir()
            (path,) = contract.written(folder)
            first = gp.load(path, loader=name)
            assert first.conflicts == 0
            assert first.quarantined == len(contract.refused)
            digest = gp.digest()
            again = gp.load(path, loader=name, resend=True)
            assert (again.applied, again.conflicts, gp.digest()) == (0, 0, digest)
            (retried,) = gp.retry_quarantine(first.batch)
            assert (retried.applied, retried.conflicts, retried.quarantined) == (0, 0, first.quarantined)
            (text,) = contract.texts(folder)
            empty(gp.store)
            half = len(text.stretches) // 2
            later = replace(
                text, stretches=text.stretches[half:], around=[text.around[0], *text.around[half + 1 :]]
            )
            for part, whole in enumerate((later.joined(later.stretches), text.first(half))):
                # Under the same name: a survey's is the file's.
                piece = folder / f"part{part}" / path.name
                piece.parent.mkdir()
                piece.write_bytes(whole)
                gp.load(piece, loader=name)
            gp.load(path, loader=name)
            assert gp.digest() == digest, name
            empty(gp.store)
            gp = GraphProfile(gp.store, gp.settings)
