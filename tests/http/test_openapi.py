"""The description of the service is true: every operation has examples, every answer is a documented one."""

from __future__ import annotations

from typing import Any

import httpx
import jsonschema
import pytest
import schemathesis
from http_world import Running
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

EXAMPLES = 25
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)


@pytest.fixture
def document(http: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = http.get("/v1/openapi.json").json()
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(m, path, o) for path, found in document["paths"].items() for m, o in found.items()]


def test_every_documented_answer_has_a_model(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        assert operation["summary"], path
        assert operation["description"], path
        for status, answer in operation["responses"].items():
            if status == "304":
                continue
            for kind, content in answer["content"].items():
                schema = content["schema"]
                known = "$ref" in schema or schema.get("type") == "string"
                assert known, (method, path, status, kind)


def test_every_operation_has_an_example_that_fits(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        content = operation["responses"]["200"]["content"]
        if "application/json" not in content:
            continue
        example = content["application/json"]["example"]
        schema = {**content["application/json"]["schema"], "components": document["components"]}
        jsonschema.validate(example, schema)
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        if method in ("post", "put"):
            assert body is not None, path


def test_names_of_operations_differ(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)


# The server's threads draw random pauses while Hypothesis looks on.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
@pytest.mark.slow
def test_nothing_breaks_it_and_it_says_nothing_undocumented(served: Running) -> None:
    """Requests made from the description, in order and out of order: no 5xx, no answer it does not speak of."""
    schema = schemathesis.openapi.from_url(f"{served.url}/v1/openapi.json")
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def calls(case: Any) -> None:
            case.call_and_validate(base_url=served.url, checks=list(CHECKS))

        calls()
        tried += 1
    assert tried > 25
