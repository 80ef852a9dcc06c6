"""Clinics whose records hold far more text than an answer has room for, in any script, and what answers show of it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cliniko_mcp.cliniko import registry
from cliniko_mcp.results.rows import FREE_TEXT
from cliniko_mcp.sandbox.core import Sandbox

SCRIPTS: Final[Mapping[str, str]] = {
    "Japanese": "患者は先週から腰痛を訴えており、歩行時に左下肢のしびれがある。画像検査では明らかな異常を認めない。",
    "Arabic": "يشكو المريض من ألم في أسفل الظهر منذ أسبوع ويزداد عند المشي لمسافات طويلة، ولا توجد أعراض أخرى. ",
    "emoji": "👍🏽🎉💪🏃🙏😀😅🥳🩹🦵🧘🚑 ",
    "English": "The patient has had lower back pain for a week, worse on walking.\n\n",
}
LENGTH: Final = 24_000
"""Characters of a text."""
QUESTIONS: Final = 80
_STRUCTURED: Final = frozenset({"content", "custom_fields"})
_DATE_AND_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d")
LOCAL: Final = re.compile(r"(.+, )?\d{4}-\d\d-\d\dT\d\d:\d\d[+-]\d\d:\d\d (Mon|Tue|Wed|Thu|Fri|Sat|Sun)( .*)?")


def text_in(script: str) -> str:
    """A text of this script, much longer than an answer."""
    words = SCRIPTS[script]
    return (words * (LENGTH // len(words) + 1))[:LENGTH]


def structured(script: str) -> dict[str, Any]:
    """Contents with more questions than an answer has room for."""
    answer = text_in(script)[:600]
    questions = [
        {"name": f"Question {number}", "type": "paragraph", "answer": f"<p>{answer}</p>"} for number in range(QUESTIONS)
    ]
    return {"sections": [{"name": "History", "questions": questions}]}


def overfill(sandbox: Sandbox, script: str, rows: int = 2) -> None:
    """Let the first and the last rows of every table hold such texts wherever people may write."""
    long, content = text_in(script), structured(script)
    store = sandbox.context.store
    for operation in registry.operations().values():
        if operation.record is None or operation.shape != "create":
            continue
        texts = FREE_TEXT & operation.record.model_fields.keys() - _STRUCTURED
        found = list(store.table(operation.resource).rows.values())
        for row in [*found[:rows], *found[-rows:]]:
            filled = {**row, **dict.fromkeys(texts, long)}
            if "content" in row and operation.resource in ("treatment_notes", "patient_forms"):
                filled["content"] = content
            store.put(operation.resource, filled)


def inside(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every value in an answer with its place."""
    yield at, value
    if isinstance(value, dict):
        for name, below in value.items():  # pyright: ignore[reportUnknownVariableType]
            yield from inside(below, f"{at}.{name}")
    elif isinstance(value, list):
        for below in value:  # pyright: ignore[reportUnknownVariableType]
            yield from inside(below, f"{at}[]")


def unsaid_cuts(answer: Mapping[str, Any]) -> list[str]:
    """The texts that are cut though no note says that something is not shown."""
    notes = " ".join(answer.get("notes", []))
    said = "not shown" in notes
    cut = [
        place for place, value in inside(dict(answer)) if isinstance(value, str) and value.rstrip(" )").endswith("…")
    ]
    return [] if said else [place for place in cut if not place.startswith(".notes")]


def bare_times(answer: Mapping[str, Any]) -> list[str]:
    """The times that lack their offset or weekday."""
    return [
        f"{place}: {value}"
        for place, value in inside(dict(answer))
        if isinstance(value, str)
        and "free_text" not in place
        and not place.startswith((".notes", ".page"))
        and _DATE_AND_TIME.match(value)
        and not LOCAL.fullmatch(value)
    ]


def rates_of_nothing(answer: Mapping[str, Any]) -> list[str]:
    """The rates in rows beside which nothing says what they are of."""
    return [
        place
        for place, value in inside(dict(answer))
        if place.endswith("[]") and isinstance(value, dict) and "rate" in value and "of" not in value
    ]


def silent_gaps(answer: Mapping[str, Any]) -> list[str]:
    """The places where a list is empty and no note says why."""
    empty = answer.get("items") == []
    return ["items"] if empty and not answer.get("notes") else []
