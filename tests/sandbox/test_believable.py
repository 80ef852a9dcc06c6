"""A practice manager believes the demo clinic: what comes out lies within the bounds that `shape` states."""

from datetime import UTC, datetime
from statistics import median

import pytest

from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.sandbox.seed import shape
from cliniko_mcp.sandbox.seed.shape import Figure

from .client import NOW
from .measured import Measured, quantile

CLOCKS = (NOW, datetime(2027, 7, 1, 13, 45, tzinfo=UTC))


@pytest.fixture(scope="module", params=CLOCKS, ids=lambda now: f"{now:%Y-%m-%d}")
def clinic(request: pytest.FixtureRequest) -> Measured:
    return Measured(Sandbox(now=request.param, frozen=True, rate_limit=0).snapshot()["tables"], request.param)


def beyond(*pairs: tuple[float, Figure]) -> list[str]:
    """A sentence for every value outside the bounds of its figure."""
    return [
        f"{value:.3f} {figure.unit} {figure.meaning}, not {figure.low} to {figure.high}"
        for value, figure in pairs
        if not figure.low <= value <= figure.high
    ]


def test_every_figure_aims_within_its_bounds_and_shares_make_a_whole() -> None:
    tables = (
        shape.UNPAID,
        *([figure for _, figure in rows] for rows in (shape.REMINDERS, shape.SOURCES, shape.REFERRERS)),
    )
    single = [value for value in vars(shape).values() if isinstance(value, Figure)]
    assert len(single) > 30
    figures = [*single, *(figure for rows in tables for figure in rows)]
    assert [
        figure for figure in figures if not figure.low <= figure.aim <= figure.high and figure.unit == "share"
    ] == []
    for rows in (shape.REMINDERS, shape.SOURCES, shape.REFERRERS):
        assert sum(figure.aim for _, figure in rows) == pytest.approx(1)


@pytest.mark.long
def test_some_do_not_come_and_some_cancel_a_part_of_them_late(clinic: Measured) -> None:
    assert not beyond(
        (clinic.no_shows(), shape.NO_SHOWS),
        (clinic.unrecorded(), shape.UNRECORDED),
        (clinic.cancellations(), shape.CANCELLED),
        (clinic.late_cancellations(), shape.LATE),
        (clinic.refilled(), shape.REFILLED),
        (clinic.rebooked(), shape.REBOOKED),
    )


@pytest.mark.long_but_one
def test_a_file_is_made_with_the_first_booking_which_is_an_initial_consult(clinic: Measured) -> None:
    booked = clinic.file_to_booking()
    assert booked[0] >= 0 and clinic.made_early() < 0.005
    assert not beyond(
        (len(clinic.new_files()) / len(clinic.patients), shape.NEW_FILES),
        (quantile(booked, 0.9), shape.FILE_TO_BOOKING),
        (median(clinic.booking_to_visit()), shape.BOOKING_TO_VISIT),
        (clinic.first_is_initial(), shape.FIRST_IS_INITIAL),
        (clinic.without_booking(), shape.NEVER_BOOKED),
    )
    assert clinic.initial_again() < 0.03
    quarters = clinic.new_by_quarter()
    assert max(quarters) < 1.3 * min(quarters)


@pytest.mark.long
def test_most_people_come_a_few_times_and_a_few_come_for_long(clinic: Measured) -> None:
    visits = clinic.visits_a_person()
    assert not beyond((median(visits), shape.VISITS), (clinic.came_back(), shape.CAME_BACK))
    assert quantile(visits, 0.25) <= 3 and quantile(visits, 0.9) > 20


@pytest.mark.long
def test_the_load_is_level_and_one_part_timer_has_less(clinic: Measured) -> None:
    rates = clinic.utilisation()
    part_time = rates.pop(shape.PART_TIMER)
    assert len(rates) == 7
    assert not beyond((part_time, shape.PART_TIME), *((rate, shape.UTILISATION) for rate in rates.values()))
    weeks = clinic.utilisation_by_week()
    assert len(weeks) > 70
    middle = median(weeks.values())
    apart = sorted(abs(rate / middle - 1) for rate in weeks.values())
    assert not beyond((quantile(apart, 0.9), shape.LEVEL))
    in_order = [rate for _, rate in sorted(weeks.items())]
    assert sum(in_order[-13:]) == pytest.approx(sum(in_order[:13]), rel=0.1)


@pytest.mark.long
def test_notes_and_invoices_follow_the_visits(clinic: Measured) -> None:
    delays = clinic.visit_to_invoice()
    assert not beyond(
        (1 - clinic.without_note(), shape.NOTED),
        (clinic.billed(), shape.INVOICED),
        *zip(clinic.unpaid(), shape.UNPAID, strict=True),
    )
    assert delays[0] >= 0 and delays[-1] <= shape.INVOICE_DELAY.high
    assert quantile(delays, 0.5) == 0


@pytest.mark.long
def test_people_are_reached_in_different_ways_and_reminded_as_they_wish(clinic: Measured) -> None:
    phones = clinic.phones()
    assert not beyond(
        (phones["landline"], shape.LANDLINE),
        (phones["none"], shape.NO_PHONE),
        (clinic.without_email(), shape.NO_EMAIL),
        (clinic.by_website(), shape.ONLINE),
        *((clinic.wishes()[wish], figure) for wish, figure in shape.REMINDERS),
    )
    reminded = clinic.reminded()
    assert reminded["None"] == 0 and reminded["SMS & Email"] > 0.9 and reminded["SMS"] > 0.75
    assert clinic.reminded_without_address() == []


def test_sources_and_referrers_vary(clinic: Measured) -> None:
    sourced, kinds = clinic.sources()
    referrers = clinic.referrers()
    whole = sum(referrers.values())
    assert not beyond(
        (sourced, shape.SOURCED),
        *((kinds[name], figure) for name, figure in shape.SOURCES),
        *((referrers[name] / whole, figure) for name, figure in shape.REFERRERS),
    )
    assert max(clinic.source_to_file()) == 0


def test_cases_run_out(clinic: Measured) -> None:
    cases = clinic.cases()
    assert cases["used up"] >= 2 and cases["one or two left"] >= 3 and cases["expired"] >= 1
    assert not beyond(((cases["used up"] + cases["expired"]) / cases["open"], shape.SPENT_CASES))


@pytest.mark.long
@pytest.mark.parametrize("seed", [2, 3])
def test_another_seed_has_the_same_shape(seed: int) -> None:
    clinic = Measured(Sandbox(now=NOW, frozen=True, seed=seed).snapshot()["tables"], NOW)
    rates = clinic.utilisation()
    assert not beyond(
        (clinic.no_shows(), shape.NO_SHOWS),
        (clinic.cancellations(), shape.CANCELLED),
        (clinic.first_is_initial(), shape.FIRST_IS_INITIAL),
        (median(clinic.visits_a_person()), shape.VISITS),
        (rates.pop(shape.PART_TIMER), shape.PART_TIME),
        *((rate, shape.UTILISATION) for rate in rates.values()),
    )
