"""Invoices, which are only read: their codes in words, and the invoices of a case (cliniko-api.md#money-and-stock)."""

from collections.abc import Iterable
from typing import Final

from cliniko_mcp.cliniko.codes import INVOICE_STATUSES
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.request import OperationRequest
from cliniko_mcp.sandbox.rulebook import Rulebook
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.wire import Json

RULES: Final = Rulebook[RequestContext]()
METHODS: Final = {1: "Legacy", 2: "Tax exclusive", 3: "Tax inclusive"}


@RULES.serialises("invoices")
def show_invoice(context: RequestContext, row: Row, shown: Json) -> None:
    """The codes in words."""
    status, method = row.get("status"), row.get("calculation_method")
    shown["status_description"] = INVOICE_STATUSES.get(status) if isinstance(status, int) else None
    shown["calculation_method_description"] = METHODS.get(method) if isinstance(method, int) else None


@RULES.rows("list_patient_case_invoices")
def case_invoices(context: RequestContext, request: OperationRequest) -> Iterable[Row]:
    """The invoices of the visits that count towards a case."""
    table = context.store.table("invoices")
    visits = context.children("attendees", "patient_case_id", "patient_cases", request.ids["patient_case_id"])
    return [table.rows[row_id] for visit in visits for row_id in table.matching("attendee_id", str(visit["id"]))]
