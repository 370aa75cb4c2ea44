"""The models of the registry, and one of them with its card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from graphprofile.drift import USERS_IN_STATUS
from graphprofile.errors import ModelError, NoModel, NotFound
from graphprofile.http.caller import ReadsProfiles
from graphprofile.http.keys import ADMIN
from graphprofile.http.page import charts_data
from graphprofile.http.page.document import to_html
from graphprofile.http.page.site import fragment, page
from graphprofile.http.routes_graph import DAMAGED, without_paths
from graphprofile.profiles import GraphProfile
from graphprofile.stability import LARGE, MODERATE

router = APIRouter(include_in_schema=False)

DRAWN = 20
"""Versions in a figure."""
Version = Annotated[str, Path(max_length=200)]


def known_models(gp: GraphProfile) -> list[dict[str, Any]]:
    """The versions, newest first; none where nothing was loaded or trained."""
    try:
        return gp.models.list()
    except NotFound:
        return []


@router.get("/models")
async def list_models(caller: ReadsProfiles) -> Response:
    """All versions, and how the one in use does beside the baselines."""
    gp = caller.service.gp
    models = without_paths(caller, await caller.run(lambda: known_models(gp)))
    champion = next((model for model in models if model["in_use"]), None)
    measured = [model for model in models if ((model["metrics"] or {}).get("model") or {}).get("ndcg_at_20")]
    return page(
        caller,
        "models.html",
        title="Models",
        section="models",
        models=models,
        champion=champion,
        measures=_measures(champion["metrics"] if champion else None),
        versions=charts_data.text(charts_data.versions(measured[:DRAWN], "ndcg_at_20"))
        if len(measured) > 1
        else None,
        previous=_role(models, "earlier"),
        challenger=_role(models, "challenger"),
    )


@router.get("/models/{version}")
async def show_model(version: Version, caller: ReadsProfiles) -> Response:
    """All that is known of one version."""
    gp = caller.service.gp

    def read() -> tuple[list[dict[str, Any]], dict[str, Any] | None, str, str | None]:
        models = known_models(gp)
        _require(models, version)
        try:
            return models, gp.models.show(version), gp.models.card(version), None
        except ModelError as error:
            return models, None, "", error.message

    models, document, card, problem = await caller.run(read)
    summary = next(model for model in without_paths(caller, models) if model["version"] == version)
    if problem is not None and not caller.principal.may(ADMIN):
        problem = DAMAGED
    champion = next((model["version"] for model in models if model["in_use"]), None)
    return page(
        caller,
        "model.html",
        title=version,
        section="models",
        summary=summary,
        document=document,
        whole=json.dumps(document, indent=2, ensure_ascii=False) if document else None,
        card=to_html(card),
        problem=problem,
        champion=champion,
        measures=_measures(document.get("metrics") if document else None),
        methods=charts_data.METHODS,
    )


@router.get("/models/{version}/drift")
async def show_drift(version: Version, caller: ReadsProfiles) -> Response:
    """How far inputs and vectors are from the last training; takes a while, so htmx asks for it later."""
    gp = caller.service.gp

    def read() -> dict[str, Any]:
        _require(known_models(gp), version)
        try:
            return gp.models.drift(users=USERS_IN_STATUS)
        except NoModel:
            return {"error": "No model is in use that this server's registry holds."}
        except ModelError as error:
            return {"error": error.message if caller.principal.may(ADMIN) else DAMAGED}

    found = await caller.run(read)
    inputs = found.get("inputs") or {}
    known = any(one["psi"] is not None for one in inputs.values())
    return fragment(
        caller,
        "_drift.html",
        drift=found,
        figure=charts_data.text(charts_data.drift_of_inputs(inputs)) if known else None,
        bands=[MODERATE, LARGE],
    )


def _require(models: list[dict[str, Any]], version: str) -> None:
    # A version is a folder's name: only those that are listed are opened.
    if version not in {model["version"] for model in models}:
        raise NotFound(f"No model {version!r}.", "The section Models lists those there are.")


def _role(models: list[dict[str, Any]], role: str) -> str | None:
    return next((model["version"] for model in models if model["role"] == role), None)


def _measures(metrics: Mapping[str, Any] | None) -> list[dict[str, str]]:
    """A plot for each measure; none where nothing was measured."""
    if not metrics or not (metrics.get("model") or {}).get("ndcg_at_20"):
        return []
    return [
        {
            "heading": heading,
            "figure": charts_data.text(charts_data.beside_baselines(metrics, measure)),
        }
        for measure, heading in charts_data.MEASURES.items()
    ]
