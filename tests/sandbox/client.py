"""A client of the demo clinic for tests: requests without a socket, and ids of seeded rows by name."""

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.sandbox.wire import SandboxRequest, SandboxResponse

NOW = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)
"""Tuesday 24 November 2026, 09:00 at Northside."""

FAR = "2027-03-01T00:00:00Z"
"""Beyond the seeded diary."""

BASE = "http://127.0.0.1:8123/v1"


class Client:
    """Requests as one role; the answers' JSON as plain dicts."""

    def __init__(self, sandbox: Sandbox, role: str = "administrator") -> None:
        self.sandbox = sandbox
        self.key = sandbox.keys[role]

    def request(
        self,
        method: str,
        path: str,
        query: Iterable[tuple[str, str]] = (),
        body: object = None,
        **headers: str | None,
    ) -> SandboxResponse:
        """One request; headers by name with underscores, None leaves one out."""
        all_headers: dict[str, str | None] = {
            "authorization": "Basic " + b64encode(f"{self.key}:".encode()).decode(),
            "user_agent": "tests (desk@clinic.example)",
            "content_type": "application/json",
            **headers,
        }
        sent = {name.replace("_", "-"): value for name, value in all_headers.items() if value is not None}
        content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        return self.sandbox.respond(SandboxRequest(method, f"/v1{path}", tuple(query), sent, content))

    def get(self, path: str, *filters: str, status: int = 200, **query: str | int) -> Any:
        return self.read("GET", path, [*(("q[]", text) for text in filters), *_pairs(query)], status)

    def read(self, method: str, path: str, query: Iterable[tuple[str, str]] = (), status: int = 200) -> Any:
        return _read(self.request(method, path, query), status)

    def post(self, path: str, body: object = None, status: int = 201) -> Any:
        return _read(self.request("POST", path, body=body if body is not None else {}), status)

    def patch(self, path: str, body: object, status: int = 200) -> Any:
        return _read(self.request("PATCH", path, body=body), status)

    def delete(self, path: str, status: int = 204) -> Any:
        return _read(self.request("DELETE", path), status)

    def rows(self, path: str, *filters: str, **query: str | int) -> list[dict[str, Any]]:
        """All rows of a list, every page."""
        found: list[dict[str, Any]] = []
        page = 1
        while True:
            pairs = {"per_page": 100, **query, "page": page}
            answer = self.read("GET", path, [*(("q[]", text) for text in filters), *_pairs(pairs)])
            found += next(value for value in answer.values() if isinstance(value, list))
            if "next" not in answer["links"]:
                return found
            page += 1

    def id(self, table: str, name: str) -> str:
        """The id of a seeded row by its label or name."""
        rows = self.sandbox.context.store.table(table).rows.items()
        return next(row_id for row_id, row in rows if name in (row.get("label"), row.get("name")))

    def book(self, starts_at: str, **more: object) -> Any:
        """Ana's standard consult with Dr Mei Ng at Northside, unless said otherwise."""
        return self.post("/individual_appointments", self.booking(starts_at, **more))

    def booking(self, starts_at: str, **more: object) -> dict[str, object]:
        return {
            "patient_id": self.id("patients", "Ana Lima"),
            "practitioner_id": self.id("practitioners", "Dr Mei Ng"),
            "business_id": self.id("businesses", "Northside"),
            "appointment_type_id": self.id("appointment_types", "Standard consult"),
            "starts_at": starts_at,
            **more,
        }

    def group(self, starts_at: str, **more: object) -> Any:
        """A Pilates class with Priya Nair at Northside."""
        body: dict[str, object] = {
            "practitioner_id": self.id("practitioners", "Priya Nair"),
            "business_id": self.id("businesses", "Northside"),
            "appointment_type_id": self.id("appointment_types", "Pilates class"),
            "starts_at": starts_at,
        }
        return self.post("/group_appointments", body | more)

    def block(self, starts_at: str, ends_at: str, **more: object) -> dict[str, object]:
        """What blocks out time of Dr Mei Ng at Northside."""
        return {
            "practitioner_id": self.id("practitioners", "Dr Mei Ng"),
            "business_id": self.id("businesses", "Northside"),
            "starts_at": starts_at,
            "ends_at": ends_at,
            **more,
        }

    def join(self, group: Mapping[str, Any], name: str, status: int = 201) -> Any:
        """A place in a class for the patient of this name."""
        body = {"booking_id": group["id"], "patient_id": self.id("patients", name)}
        return self.post("/attendees", body, status=status)

    def attendee(self, booking: dict[str, str], *filters: str) -> dict[str, Any]:
        (row,) = self.rows("/attendees", f"booking_id:={booking['id']}", *filters)
        return row


def _pairs(query: Mapping[str, str | int]) -> list[tuple[str, str]]:
    return [(name.rstrip("_"), str(value)) for name, value in query.items()]


def body_of(response: SandboxResponse) -> Any:
    """The JSON of an answer."""
    return json.loads(response.body)


def _read(response: SandboxResponse, status: int) -> Any:
    assert response.status == status, (response.status, response.body.decode())
    return json.loads(response.body) if response.body else None


def errors(answer: Any) -> dict[str, str]:
    """The sentences of a 422, by field."""
    assert answer["message"] == "Validation Failed"
    return answer["errors"]


def last(link: Any) -> str:
    """The id at the end of a link object."""
    return link["links"]["self"].rsplit("/", 1)[-1]
