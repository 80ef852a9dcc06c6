"""A report as CSV: one header, then its groups where it was grouped, else its rows."""

import csv
import io
from collections.abc import Sequence
from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.export import cell
from cliniko_mcp.printouts.answer import ReportAnswer, Row, columns_of

_OF_GROUPS: Final = ("by", "name", "count", "of", "rate", "total", "visits", "average")


def report_csv(answer: ReportAnswer, groupings: Sequence[str]) -> str:
    """The groups of these groupings, else the rows of the report, as CSV.

    Text that a spreadsheet would run as a formula is kept from that; lists stand in one cell, parted by semicolons.
    """
    rows: list[Row] = []
    if groupings:
        for name in groupings:
            found = answer.by.get(name)
            rows += [{"by": name, **group.as_json()} for group in (found.rows if found else ())]
        columns = list(_OF_GROUPS)
    else:
        rows = [_flat(row) for row in answer.items]
        columns = columns_of(rows)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([cell(_one_cell(row.get(name))) for name in columns] for row in rows)
    return text.getvalue()


def _flat(row: Row) -> Row:
    """The row with the parts of its objects as columns of their own: `utilisation_rate`."""
    flat: Row = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat |= {f"{name}_{part}": inner for part, inner in value.items()}
        else:
            flat[name] = value
    return flat


def _one_cell(value: JsonValue) -> JsonValue:
    if isinstance(value, list) and not any(isinstance(part, dict | list) for part in value):
        return "; ".join(str(part) for part in value)
    return value
