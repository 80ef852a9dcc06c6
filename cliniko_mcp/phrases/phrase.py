"""The grammar: sorts the tokens of a phrase into days, weekdays, times of day, limits and exceptions."""

from dataclasses import dataclass, field
from typing import Final

from cliniko_mcp.phrases.clock import ClockTime, TimeOfDay
from cliniko_mcp.phrases.dates import DaySpan, ExactSpan, Now, PartialDate
from cliniko_mcp.phrases.days import Date, DateList, DateSpan, is_year, read_date, read_year, resolve_date
from cliniko_mcp.phrases.hours import lasting_time, read_lasting, read_time_of_day
from cliniko_mcp.phrases.lengths import read_length
from cliniko_mcp.phrases.limits import Limit, read_dated_weekday, read_limit, read_range
from cliniko_mcp.phrases.refusals import length_alone, not_understood, quotable
from cliniko_mcp.phrases.spans import read_span
from cliniko_mcp.phrases.token_stream import TokenStream
from cliniko_mcp.phrases.tokens import tokenise
from cliniko_mcp.phrases.visit import take_same_time
from cliniko_mcp.phrases.vocabulary import PREPOSITIONS
from cliniko_mcp.phrases.weekdays import Weekdays, read_weekdays

Term = PartialDate | DateSpan | DateList | DaySpan | ExactSpan | Weekdays
_EXCEPT: Final = (
    ("except", "for"),
    ("except",),
    ("apart", "from"),
    ("other", "than"),
    ("without",),
    ("not", "including"),
    ("not",),
    ("no",),
    ("save", "for"),
    ("aside", "from"),
    ("leaving", "out"),
    ("leave", "out"),
)
_ALL: Final = frozenset(("any", "anytime", "every", "each", "all", "whole", "entire"))
_EITHER: Final = frozenset(("or", "/", "nor"))
_DAY_KINDS: Final = frozenset(("weekday", "date", "iso", "month", "ord", "unit", "year", "fy", "quarter", "halfyear"))
_NEAR_DAYS: Final = frozenset(("today", "tomorrow", "yesterday", "tonight"))
_DAY_WORDS: Final = frozenset(("today", "tomorrow", "yesterday", "tonight", "weekend", "weekday"))
# What "but" can only exclude from "any day" or "all week"; before anything else ("not", "after 3") it adds nothing.
_EXCLUDABLE_KINDS: Final = _DAY_KINDS - {"unit"} | {"part", "num"}
_EXCLUDABLE_WORDS: Final = _DAY_WORDS | {"the", "this", "next"}


@dataclass(slots=True)
class Segment:
    """One alternative of a phrase. All its entries hold at once: each one narrows the interval.

    The members of one entry of `days` or of `times` are alternatives to each other.
    """

    days: list[list[Term]] = field(default_factory=list[list[Term]])
    weekdays: list[Weekdays] = field(default_factory=list[Weekdays])
    times: list[list[TimeOfDay]] = field(default_factory=list[list[TimeOfDay]])
    limits: list[Limit] = field(default_factory=list[Limit])

    @property
    def names_day(self) -> bool:
        """Whether it holds anything but times of day."""
        return bool(self.days or self.weekdays or self.limits)


@dataclass(slots=True)
class ParsedPhrase:
    """A parsed phrase: its alternatives, and the days and times excluded from all of them.

    `same_time` marks one that keeps the time of the visit in so many words.
    """

    segments: list[Segment]
    excluded_days: list[Term]
    excluded_times: list[TimeOfDay]
    same_time: bool = False


def parse_phrase(phrase: str, now: Now, after: ParsedPhrase | None = None) -> ParsedPhrase:
    """The parsed phrase; `after` is what it corrects. Raises NotUnderstood at the first token that does not fit."""
    return _Grammar(phrase, now, after).read()


class _Grammar:
    """Parses one phrase once, left to right."""

    def __init__(self, phrase: str, now: Now, after: ParsedPhrase | None) -> None:
        self.text = phrase
        self.now = now
        self.stream = TokenStream(tokenise(phrase, now))
        if now.visit is not None:
            # "to Thursday", as a visit is moved
            self.stream.take_words("to")
        found = self.stream.tokens
        before = after.segments[-1] if after else Segment()
        # "Thursday at 3, no, 4": a number that corrects a time is an hour
        self.corrects_time = bool(before.times)
        self.names_day = before.names_day or any(
            token.kind in _DAY_KINDS or token.text in _DAY_WORDS for token in found
        )
        self.has_range = any(token.kind in {"to", "join"} or token.text in {"until", "through"} for token in found)
        self.phrase = ParsedPhrase([Segment()], [], [])
        self.joiner = ""
        self.last = ""

    @property
    def segment(self) -> Segment:
        return self.phrase.segments[-1]

    def read(self) -> ParsedPhrase:
        stream = self.stream
        while stream.peek().kind != "end":
            if stream.peek().kind == "join":
                if self.joiner or not self.last:
                    raise self._unreadable()
                self.joiner = stream.take().text
                # ", and" is one joiner
                if self.joiner == "comma" and stream.peek().kind == "join":
                    self.joiner = stream.take().text
                continue
            if self._skip_filler() or self._read_lasting():
                continue
            if not (
                self._read_exception()
                or self._read_limit()
                or self._read_days()
                or self._read_weekdays()
                or self._read_times()
            ):
                if not self._read_preposition():
                    raise self._unreadable()
                continue
            self.joiner = ""
        if self.phrase.same_time and not self.last and not self.joiner and self.now.visit is not None:
            # "same time", with somebody else
            day = self.now.visit.start.date()
            self._add_days([DaySpan(day, day)])
        if self.joiner or not self.last:
            raise self._unreadable()
        return self.phrase

    def _unreadable(self) -> Exception:
        whole = TokenStream(self.stream.tokens)
        if read_length(whole) is not None and whole.peek().kind == "end":
            return length_alone(self.text, one=whole.position == 1, facing=self.now.facing)
        token = self.stream.peek()
        text = {"comma": ",", "end": ""}.get(token.text, token.text)
        here = f'at "{quotable(text)}" ' if text else "to the end "
        return not_understood(f'I could not read "{quotable(self.text)}" {here}as a time.')

    def _read_lasting(self) -> bool:
        """Whether "for an hour" comes next after a point in time: "Friday 5pm for an hour"."""
        start, groups = self.stream.position, self.segment.times
        if self.joiner or not groups or len(groups[-1]) != 1 or (length := read_lasting(self.stream)) is None:
            return False
        if (lasting := lasting_time(groups[-1][0], length)) is not None:
            groups[-1] = [lasting]
            return True
        self.stream.position = start
        return False

    def _skip_filler(self) -> bool:
        stream = self.stream
        if take_same_time(stream, self.now):
            self.phrase.same_time = True
            # "Monday, same time"
            self.joiner = "" if self.joiner == "comma" else self.joiner
            return True
        if stream.take_kind("filler"):
            # "any time", "every day", "all of"
            if stream.take_words("time") or stream.take_words("day"):
                # "Thursday, all day"
                self.joiner = "" if self.joiner == "comma" and stream.peek().kind in {"end", "join"} else self.joiner
            else:
                stream.take_words("of")
            return True
        return stream.peek().text == "but" and not self._is_exclusion() and bool(stream.take())

    def _is_exclusion(self) -> bool:
        """Whether "but" comes next and excludes the day or part of the day after it, as in "any day but Monday"."""
        after = self.stream.peek(1)
        if self.stream.peek().text != "but":
            return False
        return after.kind in _EXCLUDABLE_KINDS or after.text in _EXCLUDABLE_WORDS

    def _read_preposition(self) -> bool:
        stream = self.stream
        if stream.peek().text not in PREPOSITIONS or stream.peek(1).kind in {"end", "join"}:
            return False
        word = stream.take().text
        if word in {"in", "during", "throughout", "of", "for"} and is_year(stream.peek()):
            self._add_days([PartialDate(0, 0, read_year(stream))])
            self.joiner = ""
        return True

    def _read_limit(self) -> bool:
        stream, start = self.stream, self.stream.position
        if self.has_range and not (self.joiner and self.last == "times"):
            range_span = read_range(stream, self.now)
            if isinstance(range_span, Weekdays):
                self._start_alternative()
                self.segment.weekdays.append(range_span)
                self.last = "weekdays"
                return True
            if range_span is not None:
                self._add_days([range_span])
                return True
            stream.position = start
        limit = None if self.joiner in _EITHER else read_limit(stream, self.now)
        if limit is None:
            stream.position = start
            return False
        self._refuse_year(limit.end.time)
        time = limit.end.time
        if limit.kind == "by" and limit.end.days is None and time and self.segment.names_day:
            # "Friday by 3": on that day, before then
            final = time.first or ClockTime(time.minutes()[1])
            self.segment.times.append([TimeOfDay("before", final=final)])
            self.last = "times"
            return True
        self.segment.limits.append(limit)
        self.last = "bound"
        return True

    def _read_days(self) -> bool:
        stream, start = self.stream, self.stream.position
        date = read_dated_weekday(stream, self.now) or read_date(stream, self.now)
        if date is not None:
            self._add_days([date])
            return True
        stream.position = start
        pieces = read_span(stream, self.now)
        if pieces is None:
            stream.position = start
            return False
        self._add_days([piece for piece in pieces if not isinstance(piece, TimeOfDay | Weekdays)])
        for piece in pieces:
            if isinstance(piece, TimeOfDay):
                self.segment.times.append([piece])
                self.last = "times"
            elif isinstance(piece, Weekdays):
                self.segment.weekdays.append(piece)
        return True

    def _read_weekdays(self) -> bool:
        stream, start = self.stream, self.stream.position
        weekdays = read_weekdays(stream)
        if weekdays is None:
            stream.position = start
            return False
        # "tomorrow, Thursday" names one day twice; "tomorrow, Thursday or Friday" is a list
        listed = self.joiner != "comma" or (not weekdays.single and self._single_day())
        if self.joiner and self.last == "days" and listed:
            self.segment.days[-1].append(weekdays)
        elif self._joins_unlike("times"):
            stream.position = start
            return False
        else:
            self._start_alternative()
            self.segment.weekdays.append(weekdays)
            self.last = "weekdays"
        return True

    def _read_times(self) -> bool:
        stream, start = self.stream, self.stream.position
        listed = bool(self.joiner) and self.last == "times"
        # "tomorrow 10" can only be an hour, "Monday 10" a day of the month as well
        near = stream.previous_text() in _NEAR_DAYS and stream.peek().value > 0
        hour = listed or near or (self.corrects_time and not self.last)
        time = read_time_of_day(stream, names_day=self.names_day, listed=hour)
        if time is None or self._joins_unlike("days") or self._joins_unlike("weekdays"):
            stream.position = start
            return False
        groups = self.segment.times
        if listed and not self._narrows(groups[-1][-1], time):
            groups[-1].append(time)
        else:
            groups.append([time])
        self.last = "times"
        return True

    def _joins_unlike(self, kind: str) -> bool:
        """Whether "or" would join a day and a time ("after 3 or Thursday"), which cannot be alternatives."""
        if kind == "times" and self.segment.names_day:
            return False
        return self.joiner in _EITHER and self.last == kind

    def _refuse_year(self, time: TimeOfDay | None) -> None:
        moments = (time.first, time.final) if time else ()
        if not self.names_day and any(moment is not None and moment.may_be_year for moment in moments):
            raise not_understood(f'"{quotable(self.text)}" could be a year or a time: say "20:30" or "in 2030".')

    def _narrows(self, before: TimeOfDay, time: TimeOfDay) -> bool:
        """Whether a joined time narrows the one before it ("after 3 and before 5") instead of being an alternative."""
        if self.joiner == "comma" and before.kind == "part" != time.kind:
            return True
        # "before lunch, say 9:30"
        if self.joiner == "comma" and before.kind in {"after", "before"} and time.kind in {"at", "range"}:
            return True
        opens, closes = (before, time) if before.kind == "after" else (time, before)
        return (
            self.joiner in {"and", "comma"}
            and opens.kind == "after"
            and closes.kind == "before"
            and opens.minutes()[0] < closes.minutes()[1]
        )

    def _read_exception(self) -> bool:
        stream, start = self.stream, self.stream.position
        but = self._is_exclusion()
        if but and not any(token.kind == "filler" and token.text in _ALL for token in stream.tokens[:start]):
            raise not_understood(f'"but {quotable(stream.peek(1).text)}" can be read two ways: say "except" or "only".')
        if not (but and stream.take()) and not any(stream.take_words(*words) for words in _EXCEPT):
            return False
        count = len(self.phrase.excluded_days) + len(self.phrase.excluded_times)
        here = stream.position
        while True:
            stream.take_any("on", "in", "at")
            stream.take_kind("filler")
            if not self._read_excluded():
                stream.position = here
                break
            here = stream.position
            if not (stream.peek().kind == "join" and stream.peek().text != "comma"):
                break
            stream.take()
        if len(self.phrase.excluded_days) + len(self.phrase.excluded_times) == count:
            # "not before 3" and "no later than 5" are times of day
            stream.position = start
            return False
        self.last = self.last or "exception"
        return True

    def _read_excluded(self) -> bool:
        stream, here = self.stream, self.stream.position
        found: Term | None = read_range(stream, self.now) if self.has_range else None
        if found is None:
            stream.position = here
            found = read_weekdays(stream)
        if found is None:
            found = read_date(stream, self.now)
        if found is None:
            stream.position = here
            pieces = read_span(stream, self.now)
            if pieces and len(pieces) == 1 and isinstance(pieces[0], DaySpan):
                found = pieces[0]
        if found is not None:
            after = stream.position
            if read_time_of_day(stream, names_day=True) is not None:
                raise not_understood("I can leave out whole days or the same hours of every day, not hours of one day.")
            stream.position = after
            self.phrase.excluded_days.append(found)
            return True
        stream.position = here
        time = read_time_of_day(stream, names_day=True)
        if time is None or time.kind == "at":
            return False
        self.phrase.excluded_times.append(time)
        return True

    def _add_days(self, terms: list[Term]) -> None:
        joined = self.joiner and (self.joiner != "comma" or self._are_disjoint(terms))
        if joined and self.last == "days":
            self.segment.days[-1] += terms
        elif joined and self.last == "weekdays" and self.joiner != "comma":
            self.segment.days.append([self.segment.weekdays.pop(), *terms])
        elif self._joins_unlike("times"):
            raise self._unreadable()
        else:
            self._start_alternative()
            self.segment.days.append(list(terms))
        self.last = "days"

    def _start_alternative(self) -> None:
        """Start another alternative where a day is joined to days that already have times."""
        chosen = self.segment.names_day if self.joiner != "comma" else self.segment.days or self.segment.weekdays
        if self.joiner and self.last == "times" and chosen:
            self.phrase.segments.append(Segment())

    def _single_day(self) -> bool:
        return bool(self.segment.days) and all(
            (isinstance(term, PartialDate) and term.day) or (isinstance(term, DaySpan) and term.size == 1)
            for term in self.segment.days[-1]
        )

    def _are_disjoint(self, terms: list[Term]) -> bool:
        """Whether days joined by a comma do not overlap: "24 Nov, 26 Nov", unlike "next week, 3 December"."""
        if self.last != "days":
            return False
        spans: list[list[DaySpan]] = []
        for term in (self.segment.days[-1][-1], terms[0]):
            found = resolve_date(_date(term), self.now) if not isinstance(term, Weekdays) else None
            if not isinstance(found, list):
                return False
            spans.append(found)
        first, second = spans[0][-1], spans[1][0]
        return first.last < second.first or second.last < first.first


def _date(term: Term) -> Date:
    assert not isinstance(term, Weekdays)
    return term
