"""A demo clinic that has at least one record of every kind, and answers a good request for every operation."""

from typing import Any

from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.sandbox.rules.attachments import PROCESSING
from cliniko_mcp.sandbox.wire import SandboxResponse

from .client import NOW, Client, last
from .full_bodies import BODIES, DATE, FIELD, MADE, OPTION, SECTION, SPECIAL, Body, referral

PARENTS = {"business_id": "businesses"}


class World:
    """The demo clinic, and the id of one live record of every kind, all of the same patient where they have one."""

    def __init__(self) -> None:
        self.sandbox = Sandbox(now=NOW, frozen=True, rate_limit=0)
        self.client = Client(self.sandbox)
        self.ids: dict[str, str] = {}
        self._answers: dict[str, SandboxResponse] = {}
        self._add_records()
        for resource in MADE:
            self.ids[resource] = self.make(resource)
        self._tie()

    def make(self, resource: str) -> str:
        """A new record, by its create operation."""
        return self.client.post(f"/{resource}", BODIES[resource](self))["id"]

    def _add_records(self) -> None:
        """What the seed has, and what no operation makes."""
        client, put = self.client, self.sandbox.context.insert
        invoice = next(row for row in client.rows("/invoices") if "original_invoice" not in row)
        site, kind = client.id("businesses", "Northside"), client.id("appointment_types", "Standard consult")
        group = next(row for row in client.rows("/group_appointments") if row["patient_ids"])
        self.ids |= {
            "invoices": invoice["id"],
            "invoice_items": client.rows(f"/invoices/{invoice['id']}/invoice_items")[0]["id"],
            "businesses": site,
            "appointment_types": kind,
            "group_appointments": group["id"],
            "bookings": last(invoice["appointment"]),
            "appointments": last(invoice["appointment"]),
            "individual_appointments": last(invoice["appointment"]),
            "attendees": last(invoice["attendee"]),
            "patients": last(invoice["patient"]),
            "practitioners": last(invoice["practitioner"]),
            "users": client.get("/user")["id"],
            "daily_availabilities": client.rows("/daily_availabilities")[0]["id"],
        }
        self.ids["referral_source_types"] = str(
            put("referral_source_types", {"name": "Doctor", "referrer_type": "Contact", "subcategories": ["GP"]})["id"]
        )
        self.ids["concession_types"] = self.make("concession_types")
        self.ids["taxes"] = self.make("taxes")
        self.ids["billable_items"] = self.make("billable_items")
        price = {"concession_type_id": self.ids["concession_types"], "billable_item_id": self.ids["billable_items"]}
        self.ids["concession_prices"] = str(put("concession_prices", {**price, "price": "60.0"})["id"])
        for code, category in ((1, 1), (2, 4)):
            sent: Body = {"type_code": code, "category_code": category, "direction_code": 1, "to": "0491 570 006"}
            put(
                "communications",
                {
                    **sent,
                    "patient_id": self.ids["patients"],
                    "content": "See you",
                    "content_subject": "Reminder",
                    "from": "Clinic",
                },
            )
        self._define_custom_fields()

    def _define_custom_fields(self) -> None:
        row = self.sandbox.context.get("settings", "settings")
        assert row is not None
        assert isinstance(row["shown"], dict)
        heading = {"name": "Health", "archived": False}
        fields: list[Any] = [
            {
                **heading,
                "token": FIELD,
                "type": "checkboxes",
                "options": [{**heading, "token": OPTION}],
                "other": {"enabled": True, "archived": False},
            },
            {**heading, "token": DATE, "type": "date"},
        ]
        definition: Any = {"sections": [{**heading, "token": SECTION, "fields": fields}]}
        self.sandbox.context.store.put(
            "settings", {**row, "shown": {**row["shown"], "patient_custom_fields_definition": definition}}
        )

    def _tie(self) -> None:
        """Fill the lists under other records, and the records that only exist under one."""
        form = self.client.get(f"/patient_forms/{self.ids['patient_forms']}")
        self.ids["signatures"] = form["signatures"]["links"]["self"].rsplit("/", 1)[-1]
        self.client.patch(f"/patients/{self.ids['patients']}", BODIES["patients"](self))
        self.client.patch(f"/patients/{self.ids['patients']}/referral_source", referral(self))
        self.sandbox.clock.advance(PROCESSING)

    def path(self, operation: Operation, own: str | None = None) -> str:
        """The operation's path with the ids of this clinic; `own` instead of the record's usual one."""
        path = operation.path
        for name in operation.path_ids:
            table = operation.resource if name == "id" else PARENTS.get(name, f"{name.removesuffix('_id')}s")
            assert table in self.ids, (
                f"no {table} in the tests' clinic: add them to BODIES and MADE in tests/sandbox/full_bodies.py, or, "
                "where no operation makes them, to _add_records here"
            )
            path = path.replace(f"{{{name}}}", own if own and name == "id" else self.ids[table])
        return path

    def answer(self, operation: Operation) -> SandboxResponse:
        """The answer to a good request for this operation, which is made once."""
        if operation.name not in self._answers:
            self._answers[operation.name] = self._request(operation)
        return self._answers[operation.name]

    def _request(self, operation: Operation) -> SandboxResponse:
        body, own = None, None
        if operation.shape in ("update", "create"):
            known = set(operation.given_body.wire_names().values()) if operation.given_body else set()
            full = SPECIAL.get(operation.name, BODIES.get(operation.resource))
            assert full is not None, f"no body for {operation.name}: add one to BODIES in tests/sandbox/full_bodies.py"
            body = {name: value for name, value in full(self).items() if name in known}
        if operation.method != "GET" and "id" in operation.path_ids:
            own = self.make(operation.resource)
        if operation.shape == "unarchive":
            self.client.post(f"/{operation.resource}/{own}/archive", status=204)
        if operation.shape == "cancel":
            body = {"cancellation_reason": 30, "cancellation_note": "Called"}
        query = [("from", "2026-11-30"), ("to", "2026-12-04")] if operation.query else []
        return self.client.request(operation.method, self.path(operation, own), query, body)
