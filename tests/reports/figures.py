"""The whole summary of each kind of report that counts what lies in a span of days, by the kind's name."""

from . import expected, expected_papers

FIGURES = {
    function.__name__: function
    for function in (
        expected.activity,
        expected.no_shows,
        expected.cancellations,
        expected.new_cancellations,
        expected.new_bookings,
        expected.retention,
        expected.rebooking,
        expected.lapsed,
        expected.not_rebooked,
        expected.never_seen,
        expected_papers.revenue,
        expected_papers.unpaid,
        expected_papers.unbilled,
        expected_papers.missing_notes,
        expected_papers.cases,
        expected_papers.forms,
        expected_papers.alerts,
        expected_papers.sources,
    )
}
