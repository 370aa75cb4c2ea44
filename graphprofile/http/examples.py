"""Examples of answers, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from graphprofile.insights import list_insights

_TAG = {
    "tag": "Poetry",
    "kind": "genre",
    "score": 3.2,
    "share": 0.41,
    "lift": 5.3,
    "short": 0.9,
    "long": 3.2,
    "events": 4,
    "last_at": "2024-05-06T07:08:09Z",
}
_PROFILE = {
    "user_id": "u1",
    "as_of": "2024-05-06T07:08:09Z",
    "properties": {"name": "Ann"},
    "first_seen": "2024-01-02T10:00:00Z",
    "last_seen": "2024-05-06T07:08:09Z",
    "events": {"viewed": 12, "purchased": 3},
    "tags": [_TAG],
    "embedding": {
        "model": "20240501-1a2b3c",
        "computed_at": "2024-05-06T07:08:10Z",
        "status": "fresh",
        "dimensions": 64,
    },
}
_APART = {
    "disagreement": 0.784464541,
    "says": -0.666666667,
    "does": 0.923076923,
    "explicit": -2.0,
    "implicit": 12.0,
    "explicit_events": 1,
    "implicit_events": 3,
    "last_at": "2024-05-06T07:08:09Z",
}
_FOUND = {
    "results": [
        {
            "id": "i7",
            "kind": "item",
            "title": "The Waste Land",
            "score": 4.2,
            "because": ["genre Poetry: 4 events of this user"],
        }
    ]
}
_UPSERT = {"batch": "20240506T070809-1a2b3c", "applied": 1, "unchanged": 0, "rejected": []}
_OBJECTS = {
    "results": [
        {"id": "i7", "title": "The Waste Land", "properties": {"year": 1922}, "tags": ["genre:Poetry"]}
    ],
    "next": None,
}

ANSWERS: dict[str, Any] = {
    "read_profile": _PROFILE,
    "read_profiles": {"profiles": [_PROFILE], "missing": ["u9"]},
    "read_tags": {"user_id": "u1", "as_of": "2024-05-06T07:08:09Z", "tags": [_TAG]},
    "recommend": _FOUND,
    "similar_users": {
        "results": [
            {
                "id": "u2",
                "kind": "user",
                "title": None,
                "score": 0.93,
                "because": ["3 in common, such as “Ulysses”"],
            }
        ]
    },
    "similar_items": _FOUND,
    "explain": {
        "user_id": "u1",
        "tag": "genre:Poetry",
        "item": None,
        "as_of": "2024-05-06T07:08:09Z",
        "score": 3.0,
        "paths": [
            {
                "event_id": "e1",
                "event": "purchased",
                "at": "2024-05-06T07:08:09Z",
                "object_id": "i7",
                "object_kind": "item",
                "title": "The Waste Land",
                "tags": ["genre:Poetry"],
                "feedback": "implicit",
                "contribution": 3.0,
                "batch": "20240506T070809-1a2b3c",
            }
        ],
    },
    "read_feedback": {
        "user_id": "u1",
        "as_of": "2024-05-06T07:08:09Z",
        "tags": [{"tag": "Poetry", "kind": "genre", **_APART}],
        "objects": [{"id": "i7", "kind": "item", "title": "The Waste Land", **_APART}],
    },
    "read_embeddings": {
        "model": "20240501-1a2b3c",
        "dimensions": 3,
        "embeddings": [
            {
                "id": "u1",
                "model": "20240501-1a2b3c",
                "computed_at": "2024-05-06T07:08:10Z",
                "status": "fresh",
                "embedding": [0.1, -0.2, 0.3],
            }
        ],
        "missing": [],
    },
    "post_events": {
        "batch": "20240506T070809-1a2b3c",
        "dry_run": False,
        "accepted": 1,
        "late": 0,
        "duplicates": 0,
        "conflicts": 0,
        "rejected": 1,
        "events": [
            {"event_id": "e1", "outcome": "accepted"},
            {"event_id": "e2", "outcome": "rejected", "field": "user_id", "reason": "is missing"},
        ],
    },
    "describe_users": _UPSERT,
    "describe_items": _UPSERT,
    "describe_user": _UPSERT,
    "describe_item": _UPSERT,
    "describe_content": _UPSERT,
    "describe_one_content": _UPSERT,
    "list_users": {"users": [{"id": "u1", "properties": {"name": "Ann"}}], "next": "WyJ1MSJd"},
    "read_audience": {
        "words": "People who have an interest in Poetry, but not those who purchased something in the last 30 days.",
        "count": 17,
        "users": [
            {
                "id": "u1",
                "properties": {"name": "Ann"},
                "top_tags": ["Poetry"],
                "events": 15,
                "last_seen": "2024-05-06T07:08:09Z",
            }
        ],
        "next": None,
    },
    "list_items": _OBJECTS,
    "list_content": _OBJECTS,
    "list_tags": {"tags": [{"kind": "genre", "name": "Poetry", "events": 812}], "next": None},
    "list_insights": {"insights": [one.to_json() for one in list_insights() if one.name == "rising_tags"]},
    "run_insight": {"name": "rising_tags", "rows": [{"tag": "Poetry", "events": 12}]},
    "run_cypher": {
        "columns": ["id", "title"],
        "rows": [{"id": "i1", "title": "Book 1"}],
        "truncated": False,
        "milliseconds": 4.2,
    },
    "list_models": {"in_use": "20240501-1a2b3c", "models": [{"version": "20240501-1a2b3c"}]},
    "show_model": {"version": "20240501-1a2b3c", "in_use": True},
    "read_status": {"engine": "neo4j", "users_awaiting_tags": 0, "nodes": {"User": 1200}},
    "list_batches": {
        "batches": [
            {
                "id": "20240506T070809-1a2b3c",
                "state": "done",
                "source": "events.csv",
                "started_at": "2024-05-06T07:08:09Z",
                "read": 1200,
                "applied": 1190,
                "duplicates": 7,
                "conflicts": 1,
                "quarantined": 2,
                "late": 14,
                "seconds": 0.8,
                "rows_per_second": 1500.0,
            }
        ],
        "next": "WzE3MTQ5NzkyODkwMDAsIjIwMjQwNTA2VDA3MDgwOS0xYTJiM2MiXQ",
    },
    "read_audit": {
        "entries": [
            {
                "number": 17,
                "at": "2024-05-06T07:08:09Z",
                "request_id": "0af7651916cd43dd8448eb211c80319c",
                "key_id": "0123456789ab",
                "action": "profile.read",
                "outcome": "ok",
                "subjects": ["u1"],
            }
        ],
        "next": None,
    },
    "is_alive": {"status": "ok"},
    "is_ready": {"status": "ok"},
}
ANSWERS["read_many_embeddings"] = ANSWERS["read_embeddings"]

TAGGED = frozenset(
    {
        "read_profile",
        "read_profiles",
        "read_tags",
        "recommend",
        "similar_users",
        "similar_items",
        "explain",
        "read_feedback",
        "list_insights",
    }
)
"""Operations whose answers carry an ETag."""
