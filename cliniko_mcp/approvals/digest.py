"""Digests: a short name for arguments and facts that gives none of them away and changes when any of them does."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from cliniko_mcp.cliniko.calls import Call


def canonical(value: object) -> str:
    """The value as JSON, the same text for equal values: keys sorted, no spaces, times as ISO, decimals as written."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)


def _plain(value: object) -> object:
    match value:
        case date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case Mapping():
            return dict(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case _:
            return repr(value)


def plain_id(value: str) -> str:
    """An id without leading zeros: Cliniko reads 012 as 12, so that both name one record."""
    return value.lstrip("0") or "0"


def arguments(call: Call) -> str:
    """The canonical text of a call's validated arguments: the same however the arguments were written."""
    return canonical(
        {
            "ids": {name: plain_id(value) for name, value in call.ids.items()},
            "conditions": [(condition.field, condition.operator, condition.value) for condition in call.conditions],
            "query": call.query.model_dump() if call.query is not None else None,
            "sort": call.sort,
            "include_archived": call.include_archived,
            "body": call.body.model_dump(exclude_unset=True) if call.body is not None else None,
        }
    )


def digest(*parts: str) -> str:
    """64 hexadecimal digits that stand for these texts in this order, each kept apart from the next."""
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        whole.update(len(data).to_bytes(8, "big") + data)
    return whole.hexdigest()
