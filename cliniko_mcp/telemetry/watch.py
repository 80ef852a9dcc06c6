"""Whoever watches a server for many: told of each message, request, question and refusal, and of nobody's name."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final, Literal

from cliniko_mcp.telemetry.current import CURRENT, Facts
from cliniko_mcp.telemetry.limit_use import account_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cliniko_mcp.telemetry.message import Message
    from cliniko_mcp.telemetry.metrics import Metrics
    from cliniko_mcp.telemetry.spans import AttemptSpan, Spans

NOT_SENT: Final = "not sent"
NO_ANSWER: Final = "no answer"


class Watch:
    """See `guards.watch.Watch`. What is not kept costs nothing: metrics, or spans, may be None."""

    def __init__(
        self, clock: Callable[[], float], id_of: Callable[[], str], metrics: Metrics | None, spans: Spans | None
    ) -> None:
        """`clock` is monotonic, in seconds; `id_of` makes the ids of requests."""
        self._clock = clock
        self._id_of = id_of
        self.metrics = metrics
        self._spans = spans

    @contextmanager
    def message(self, message: Message, meta: Mapping[str, object] | None = None) -> Generator[None]:
        """Within it the message is answered; its outcome is read at the end. `meta` may name its trace."""
        begun = self._clock()
        with ExitStack() as stack:
            trace = stack.enter_context(self._spans.message(message, meta)) if self._spans is not None else ""
            before = CURRENT.set(Facts(self._id_of(), message.clinic, message.person, trace))
            try:
                yield
            finally:
                CURRENT.reset(before)
                if self.metrics is not None and message.tool:
                    self.metrics.calls.labels(message.tool, message.outcome).inc()
                    self.metrics.call_seconds.labels(message.tool).observe(self._clock() - begun)

    def attempts(self, account: str) -> AccountAttempts:
        """See `guards.watch.Watch.attempts`."""
        return AccountAttempts(self._clock, account_digest(account), self.metrics, self._spans)

    def question(self, became: Literal["asked", "yes", "no", "expired"]) -> None:
        """See `guards.watch.Watch.question`."""
        if self.metrics is not None:
            self.metrics.approvals.labels(became).inc()

    def refused(self, status: int, reason: str) -> None:
        """A request was refused before the protocol."""
        if self.metrics is not None:
            self.metrics.refused.labels(str(status), reason).inc()

    def count_apps(self, count: Callable[[], int]) -> None:
        """Show how many accounts are open, counted when somebody looks."""
        if self.metrics is not None:
            self.metrics.open_apps.set_function(count)

    def count_queue(self, lines: Callable[[], int]) -> None:
        """Show how many lines of the audit log wait to be written, counted when somebody looks."""
        if self.metrics is not None:
            self.metrics.watch_queue(lines)

    def redis(self, seconds: float) -> None:
        """Redis answered, or was found to be away, after so many seconds."""
        if self.metrics is not None:
            self.metrics.store_seconds.labels("redis").observe(seconds)

    def postgres(self, seconds: float) -> None:
        """Postgres answered, or was found to be away, after so many seconds."""
        if self.metrics is not None:
            self.metrics.store_seconds.labels("postgres").observe(seconds)


class AccountAttempts:
    """Hears of the requests of one account."""

    def __init__(self, clock: Callable[[], float], account: str, metrics: Metrics | None, spans: Spans | None) -> None:
        """`account` is its digest."""
        self._clock = clock
        self._account = account
        self._metrics = metrics
        self._spans = spans

    @contextmanager
    def attempt(self, operation: str, number: int) -> Generator[WatchedAttempt]:
        """See `client.attempts.Attempts.attempt`."""
        with ExitStack() as stack:
            span = stack.enter_context(self._spans.attempt(operation, number)) if self._spans is not None else None
            attempt = WatchedAttempt(self._clock, span)
            try:
                yield attempt
            finally:
                self._ended(operation, attempt)

    def _ended(self, operation: str, attempt: WatchedAttempt) -> None:
        if attempt.span is not None:
            attempt.span.ended(attempt.status, attempt.waited)
        if self._metrics is None:
            return
        self._metrics.requests.labels(operation, attempt.status).inc()
        self._metrics.wait_seconds.observe(attempt.waited)
        if attempt.sent_at is not None:
            self._metrics.limit_use.sent(self._account)
            self._metrics.request_seconds.observe(self._clock() - attempt.sent_at)


class WatchedAttempt:
    """See `client.attempts.Attempt`."""

    def __init__(self, clock: Callable[[], float], span: AttemptSpan | None) -> None:
        self._clock = clock
        self._begun = clock()
        self.span = span
        self.sent_at: float | None = None
        """When it went out; None before."""
        self._status = 0

    @property
    def waited(self) -> float:
        """Seconds that it waited for the limit."""
        return (self._clock() if self.sent_at is None else self.sent_at) - self._begun

    @property
    def status(self) -> str:
        """The status of its answer, or why it has none."""
        if self._status:
            return str(self._status)
        return NOT_SENT if self.sent_at is None else NO_ANSWER

    def admitted(self) -> None:
        """See `client.attempts.Attempt.admitted`."""
        self.sent_at = self._clock()

    def answered(self, status: int) -> None:
        """See `client.attempts.Attempt.answered`."""
        self._status = status
