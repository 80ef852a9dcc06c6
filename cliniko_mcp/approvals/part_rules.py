"""Rules of the table of effects for parts of a record: a list, a series, the answers and questions in it, a picture."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Set
from typing import Final

from cliniko_mcp.approvals.effect_rules import Rule
from cliniko_mcp.approvals.facts import Facts
from cliniko_mcp.approvals.links import UNREADABLE, linked_words
from cliniko_mcp.approvals.losses import (
    Earlier,
    Loss,
    amount,
    as_json,
    changed,
    empties,
    field_words,
    value_words,
    written,
)
from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.models import Body, Record, value_of
from cliniko_mcp.cliniko.shapes.answers import questions_and_answers
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sanitize import counted, first_few

Listed = Callable[[Facts, str], Awaitable[tuple[str, Set[str]] | None]]
"""What a list of the record with this id holds, by name and by id; None where this key may not see it."""
_UNITS: Final = {"Daily": "day", "Weekly": "week", "Monthly": "month"}
_FEW: Final = 5


def list_emptied(field: str, what: str, why: str, listed: Listed | None) -> Rule:
    """A rule for a list that becomes an empty one, or another one altogether.

    `listed` says what the list holds where the record does not tell it.
    """

    async def losses(facts: Facts, call: Call, record: Record, earlier: Earlier) -> list[Loss]:
        sent, before, held = changed(call)[field], UNREADABLE, frozenset[str]()
        if listed is not None:
            found = await listed(facts, call.ids["id"])
            before, held = found if found is not None else (UNREADABLE, held)
        elif field in type(record).model_fields:
            there = value_of(record, field)
            before, held = await linked_words(facts, field, there), _ids(there)
        if empties(sent):
            return [Loss(what, before)] if before else []
        if len(held) < 2 or held & _ids(sent):
            return []
        return [Loss(what, before, await linked_words(facts, field, sent, whole=True))]

    return Rule(
        "list",
        (field,),
        f"`{field}` becomes an empty list and holds something, or keeps none of the two or more that it holds",
        why,
        "Empty a list of this {noun}",
        "What the list held is not kept; it can be put together again by hand.",
        lambda call, now, earlier: field in changed(call),
        losses,
    )


def _ids(value: object) -> frozenset[str]:
    items: list[object] = [*value] if isinstance(value, list) else []
    return frozenset(map(str, items))


def series_changed() -> Rule:
    """A rule for something that repeats and is given another rule of repeating, or none."""
    field = "repeat_rule"

    async def losses(facts: Facts, call: Call, record: Record, earlier: Earlier) -> list[Loss]:
        held, sent = as_json(value_of(record, field)), as_json(changed(call)[field])
        if not isinstance(held, dict) or not held or held == sent:
            return []
        return [Loss("Repeats", _repeats(held), _repeats(sent) if isinstance(sent, dict) else "never")]

    return Rule(
        "series",
        (field,),
        f"`{field}` becomes another rule, or none, and it repeats",
        "Cliniko does not say what becomes of its later dates; they may be lost, as if they were archived",
        "Change how this {noun} repeats",
        "Later dates that are lost can be booked again by hand.",
        lambda call, now, earlier: field in changed(call),
        losses,
    )


def _repeats(rule: dict[str, JsonValue]) -> str:
    """A rule of repeating in words: `every 2 weeks, 5 more times`."""
    unit = _UNITS.get(str(rule.get("repeat_type")), "time")
    interval, times = rule.get("repeating_interval"), rule.get("number_of_repeats")
    every = f"every {unit}" if interval in (None, 1) else f"every {interval} {unit}s"
    return f"{every}, {counted(times, 'more time')}" if isinstance(times, int) else every


def answers_emptied(field: str) -> Rule:
    """A rule for the clinic's own fields of a patient, of which most answers would go."""

    async def losses(facts: Facts, call: Call, record: Record, earlier: Earlier) -> list[Loss]:
        held, going = _answers(field, value_of(record, field)), answers_gone(field, call, record)
        before = frozenset(name for name in earlier.emptied if name.startswith(f"{field}."))
        gone = going | (before - held.keys())
        if not going or len(gone) < 2 or 2 * len(gone) <= len(held.keys() | before):
            return []
        words = [answer for key, answer in held.items() if key in going]
        return [Loss(field_words(field), first_few(words[:_FEW], _FEW, len(words)))]

    return Rule(
        "answers",
        (field,),
        f"two answers or more in `{field}` are emptied, and these are more than half of those it holds",
        "what the clinic asked the patient is gone",
        "Empty most of the own fields of this {noun}",
        "What is emptied cannot be brought back from here.",
        lambda call, now, earlier: field in changed(call),
        losses,
    )


def answers_gone(field: str, call: Call, record: Record) -> frozenset[str]:
    """The answers in this field of the record that the update empties, as `custom_fields.` and their token."""
    sent = changed(call)
    if field not in sent:
        return frozenset()
    return frozenset(_answers(field, value_of(record, field)).keys() - _answers(field, sent[field]).keys())


def _answers(field: str, value: object) -> dict[str, str]:
    """Each answer of this field, `“Allergies”: “penicillin”`, by what its question is known by."""
    return {
        f"{field}.{pair.token or f'{pair.section} {pair.question}'}": ": ".join(
            filter(None, map(value_words, (pair.question, pair.written)))
        )
        for pair in questions_and_answers(as_json(value))
        if pair.written
    }


def questions_removed(field: str) -> Rule:
    """A rule for a template of which more than four fifths of the questions would go."""

    async def losses(facts: Facts, call: Call, record: Record, earlier: Earlier) -> list[Loss]:
        held, left = (_questions(value) for value in (value_of(record, field), changed(call)[field]))
        if 5 * len(left) >= len(held):
            return []
        return [Loss("Questions", first_few(held[:_FEW], _FEW, len(held)), counted(len(left), "question"))]

    return Rule(
        "questions",
        (field,),
        f"`{field}` keeps less than a fifth of the questions that are there",
        "the template is gone, as if it were archived",
        "Take most questions out of this {noun}",
        "The questions cannot be brought back from here.",
        lambda call, now, earlier: field in changed(call),
        losses,
    )


def _questions(value: object) -> list[str]:
    found = as_json(value) if isinstance(value, Record | Body) else None
    return [value_words(pair.question) or "one without a name" for pair in questions_and_answers(found)]


def template_put_under(field: str, text: str, what: str) -> Rule:
    """A rule for another template that is put under what is written, where the update does not write it anew.

    `field` names the template, `text` what is written, and `what` that for people.
    """

    async def losses(facts: Facts, call: Call, record: Record, earlier: Earlier) -> list[Loss]:
        sent, texts = changed(call)[field], list(written(as_json(value_of(record, text))))
        if sent == value_of(record, field) or amount(texts) == 0:
            return []
        template = await linked_words(facts, field, sent)
        return [Loss(what, value_words(" / ".join(texts)), f"what Cliniko makes of it with {template}")]

    return Rule(
        "template",
        (field,),
        f"`{field}` becomes another template, `{text}` is not sent, and something is written there",
        "Cliniko does not say what becomes of what is written there; it may be lost, as if the record were archived",
        "Put another template under this {noun}",
        "What was written cannot be brought back from here.",
        lambda call, now, earlier: bool((sent := changed(call)).get(field)) and text not in sent,
        losses,
    )


def picture_removed(flag: str, what: str) -> Rule:
    """A rule for a flag that removes something which cannot be read back; `what` names it."""

    async def losses(facts: Facts, call: Call, record: Record, earlier: Earlier) -> list[Loss]:
        return [Loss(what, "whatever is there now")]

    return Rule(
        "removed",
        (flag,),
        f"`{flag}` is true",
        f"the {what.lower()} is gone, and it cannot be read from here to be put back",
        f"Remove the {what.lower()} of this {{noun}}",
        f"A {what.lower()} can be uploaded again by whoever has the file.",
        lambda call, now, earlier: changed(call).get(flag) is True,
        losses,
    )
