"""Odd requests to every operation: the clinic may refuse them, but it neither falls over nor answers out of form."""

from random import Random
from typing import Any

import pytest

from cliniko_mcp.cliniko import registry
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.sandbox.links import VIEWS, target_of

from .full_bodies import BODIES, SPECIAL
from .world import World

OPERATIONS = list(registry.operations().values())
TIMES = ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-10-03T16:30:00Z", "2026-11-24T24:00:00Z", "2026-02-30"]
NUMBERS: list[Any] = [0, -1, 51, 0.1, 1e308, 10**30, "1e400", "4e9", "0x10", "1_000", "٢", "9" * 25, "-0.0", "NaN"]
TEXTS = ["", "  ", "x" * 6000, "\u202e<b>hi</b>", "\x00", "a\nb\tc", "😀", "data:image/svg+xml;base64,AAAA", "=%~*?!"]
SHAPES: list[Any] = [
    None,
    True,
    [],
    {},
    [None],
    [{}],
    [1, "x"],
    {"sections": None},
    {"sections": [{}]},
    {"sections": [{"questions": [{"name": "a", "type": "new"}]}]},
    {"sections": [{"name": "n", "questions": [{"name": "a", "type": "checkboxes", "answers": [{"selected": True}]}]}]},
    {"repeat_type": "Monthly", "number_of_repeats": 51, "repeating_interval": 100},
    [{"phone_type": "Mobile", "number": ""}],
]
ODD: list[Any] = [*TIMES, *NUMBERS, *TEXTS, *SHAPES]
SIGNS = ("=", "!=", ">", ">=", "<", "<=", "~", "~~", "?", "!?", "*", "")
SORTS = ("id", "created_at:desc", "updated_at,id:desc", "number", "patient_id", "id:", ",", "shoe_size", "")


class Visitor:
    """Asks at random, and the same from the same seed."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.rng = Random(seed)
        # Good bodies to spoil; made before anything is archived, for some of them make records of their own.
        makers = {
            operation.name: SPECIAL.get(operation.name, BODIES.get(operation.resource)) for operation in OPERATIONS
        }
        self.good = {name: maker(world) for name, maker in makers.items() if maker}

    def known(self, table: str) -> str:
        store = self.world.sandbox.context.store
        found = [row_id for name in VIEWS.get(table, (table,)) for row_id in store.table(name).rows]
        return self.rng.choice(found) if found else "1"

    def path(self, operation: Operation) -> str:
        steps = operation.path.split("/")
        for place, step in enumerate(steps):
            if step.startswith("{"):
                steps[place] = self.known(steps[place - 1])
        return "/".join(steps)

    def query(self, operation: Operation) -> list[tuple[str, str]]:
        rng = self.rng
        names = [*operation.filters, "shoe_size"]
        pairs = [("q[]", f"{rng.choice(names)}:{rng.choice(SIGNS)}{rng.choice(ODD)}") for _ in range(rng.randint(0, 2))]
        pairs += [(name, str(rng.choice(ODD))) for name in ("page", "per_page") if rng.random() < 0.5]
        pairs += [(name, str(rng.choice(ODD))) for name in ("from", "to") if operation.query]
        return [*pairs, ("sort", rng.choice(SORTS))] if rng.random() < 0.5 else pairs

    def body(self, operation: Operation) -> dict[str, Any] | None:
        if operation.given_body is None:
            return None
        body = dict(self.good.get(operation.name, {}))
        for name in self.rng.choices([*operation.given_body.wire_names().values()], k=self.rng.randint(1, 3)):
            target = target_of(operation.resource, name)
            body[name] = self.known(target) if target and self.rng.random() < 0.6 else self.rng.choice(ODD)
        return body


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_no_request_brings_the_clinic_down(seed: int) -> None:
    visitor = Visitor(World(), seed)
    client = visitor.world.client
    for _ in range(3):
        for operation in visitor.rng.sample(OPERATIONS, len(OPERATIONS)):
            path, body = visitor.path(operation), visitor.body(operation)
            query = visitor.query(operation) if operation.method == "GET" else []
            answer = client.request(operation.method, path, query, body)
            result: Any = answer.json() if answer.body else None
            context = (operation.name, path, query, body, result)
            assert answer.status in (200, 201, 204, 400, 403, 404, 422), context
            if answer.status == 422:
                assert result["message"] == "Validation Failed" and result["errors"], context
                assert all(isinstance(sentence, str) for sentence in result["errors"].values()), context
            elif (
                answer.status in (200, 201) and operation.record is not None and operation.resource != "available_times"
            ):
                rows = result[operation.resource] if operation.listing else [result]
                assert [odd for row in rows if (odd := operation.record.read(row).unexpected)] == [], context
