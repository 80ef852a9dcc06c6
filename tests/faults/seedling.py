"""The demo clinic's seed, sown once in a test process and copied from then on: sowing takes most of a short test."""

import json
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from cliniko_mcp.sandbox import seed
from cliniko_mcp.sandbox.desk import Desk

_sow = seed.sow
_kept: dict[tuple[str, int], tuple[bytes, int]] = {}


def sow_again(desk: Desk) -> None:
    """Fill an empty clinic as the seed does."""
    place = (desk.clock.stamp(), desk.ids.seed)
    if place not in _kept:
        _sow(desk)
        _kept[place] = (json.dumps(desk.store.dump()).encode(), desk.ids.count)
        return
    tables, desk.ids.count = _kept[place]
    desk.store.load(json.loads(tables))


@contextmanager
def sown_once() -> Generator[None]:
    """While inside, every demo clinic of the same start and seed is a copy of the first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seed, "sow", sow_again)
        yield
