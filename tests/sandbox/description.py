"""The official description of the API, where `CLINIKO_OPENAPI` says it is: answers are held against its schemas."""

import os
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from cliniko_mcp.cliniko.operations import Operation

ADDRESS = "CLINIKO_OPENAPI"
ABSENT = f"{ADDRESS} does not name the official description"

FORMATS = FormatChecker(formats=())
_UNIONS = ("anyOf", "oneOf", "allOf")


def _text(pattern: str) -> Any:
    return lambda value: not isinstance(value, str) or re.fullmatch(pattern, value) is not None


for _name, _check in {
    "int64": _text(r"[0-9]{1,20}"),
    "decimal": _text(r"-?[0-9]+\.[0-9]+"),
    "uri": _text(r"https?://[^\s/]+/\S*"),
    "time": _text(r"[0-9]{2}:[0-9]{2}"),
    "uuid": _text(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
}.items():
    FORMATS.checks(_name)(_check)


@FORMATS.checks("date-time", ValueError)
def _is_instant(value: object) -> bool:
    return not isinstance(value, str) or (value.endswith("Z") and bool(datetime.fromisoformat(value)))


@FORMATS.checks("date", ValueError)
def _is_day(value: object) -> bool:
    return not isinstance(value, str) or bool(date.fromisoformat(value))


@cache
def described() -> Mapping[str, Any]:
    """The whole description. Read once: it takes a second."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(Path(os.environ[ADDRESS]).read_text("utf-8"), Loader=loader)


def success(operation: Operation) -> tuple[int, Mapping[str, Any] | None]:
    """The status of a good answer as described, and its schema; None where the body is empty."""
    responses = described()["paths"][operation.path][operation.method.lower()]["responses"]
    status = next(code for code in responses if code.startswith("2"))
    content = responses[status].get("content", {})
    return int(status), content["application/json"]["schema"] if content else None


def problems(schema: Mapping[str, Any], body: Any) -> list[str]:
    """What is wrong with an answer: values that do not fit, fields nobody described, described ones left out."""
    plain = _plain(schema)
    validator = Draft202012Validator(plain, format_checker=FORMATS)
    found = [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(body)]
    return [*found, *_unknown_fields(plain, body, "$"), *_absent(plain, body, "$")]


def _unknown_fields(schema: Mapping[str, Any], value: object, place: str) -> Iterator[str]:
    merged = _merged(schema)
    known: Mapping[str, Any] = merged["properties"]
    if isinstance(value, list):
        for number, item in enumerate(value[:3]):
            yield from _unknown_fields(merged["items"], item, f"{place}[{number}]")
    elif isinstance(value, dict) and known:
        yield from (f"{place}.{name}: is not described" for name in value if name not in known)
        for name, part in value.items():
            yield from _unknown_fields(known.get(name, {}), part, f"{place}.{name}")


def _absent(schema: Mapping[str, Any], value: object, place: str) -> Iterator[str]:
    """Fields of whole records only: parts of a record, such as a question, leave out what they do not hold."""
    merged = _merged(schema)
    known: Mapping[str, Any] = merged["properties"]
    if not isinstance(value, dict) or merged["union"]:
        return
    left_out = (name for name, field in known.items() if name not in value and not _is_link(field))
    yield from (f"{place}.{name}: is missing" for name in left_out)
    for name, part in value.items():
        if place == "$" and isinstance(part, list) and "total_entries" in value:
            for number, row in enumerate(part[:3]):
                yield from _absent(_merged(known[name])["items"], row, f"$.{name}[{number}]")


def _is_link(schema: Mapping[str, Any]) -> bool:
    """Links that are not set are left out (cliniko-api.md#values)."""
    return "links" in _merged(schema)["properties"]


def _merged(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """An object's properties or an array's items, through unions."""
    members = [_merged(part) for key in _UNIONS for part in schema.get(key, ()) if part != {"type": "null"}]
    properties = dict(schema.get("properties", {}))
    items = schema.get("items", {})
    for member in members:
        properties |= member.get("properties", {})
        items = items or member.get("items", {})
    union = len(members) > 1 or any(member["union"] for member in members)
    return {"properties": properties, "items": items, "union": union}


def _plain(schema: Any) -> Any:
    """An OpenAPI 3.0 schema as JSON Schema: references put in place, `nullable` said as a type, old bounds as new."""
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _referred(schema["$ref"])
    plain: dict[str, Any] = {
        key: {name: _plain(item) for name, item in value.items()} if key == "properties" else _plain(value)
        for key, value in schema.items()
        if key not in ("example", "nullable", "deprecated", "externalDocs", "description", "title")
    }
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if plain.pop(exclusive, False) is True:
            plain[exclusive] = plain.pop(bound)
    if "pattern" in plain:
        # Written for Ruby: \h is a hexadecimal digit, and addresses are matched in either case
        # (cliniko-api.md#discrepancies).
        plain["pattern"] = plain["pattern"].replace("\\h", "[0-9a-fA-F]")
        plain["pattern"] = f"(?i){plain['pattern']}" if "[A-Z]{2,63}" in plain["pattern"] else plain["pattern"]
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") else plain


@cache
def _referred(reference: str) -> Any:
    found: Any = described()
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return _plain(found)
