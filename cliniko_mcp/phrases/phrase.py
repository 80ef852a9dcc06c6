"""The grammar: the tokens of a phrase sorted into days, weekdays, times of day, limits and exceptions."""

from dataclasses import dataclass, field
from typing import Final

from cliniko_mcp.phrases.clock import Moment, Times
from cliniko_mcp.phrases.dates import Dated, Days, Exact, Now
from cliniko_mcp.phrases.days import Date, DatedSpan, Dates, is_year, read_date, read_year, resolve_date
from cliniko_mcp.phrases.hours import read_times
from cliniko_mcp.phrases.limits import Bound, read_bound, read_dated_weekday, read_stretch
from cliniko_mcp.phrases.refusals import not_understood, shown
from cliniko_mcp.phrases.spans import read_span
from cliniko_mcp.phrases.token_stream import Reader
from cliniko_mcp.phrases.tokens import tokens
from cliniko_mcp.phrases.vocabulary import PREPOSITIONS
from cliniko_mcp.phrases.weekdays import Weekdays, read_weekdays

Term = Dated | DatedSpan | Dates | Days | Exact | Weekdays
_EXCEPT: Final = (("except", "for"), ("except",), ("apart", "from"), ("other", "than"), ("without",), ("not",), ("no",))
_ALL: Final = frozenset(("any", "anytime", "every", "each", "all", "whole", "entire"))
_EITHER: Final = frozenset(("or", "/", "nor"))
_DAY_KINDS: Final = frozenset(("weekday", "date", "iso", "month", "ord", "unit"))
_DAY_WORDS: Final = frozenset(("today", "tomorrow", "yesterday", "tonight", "weekend", "weekday"))
# What "but" can only leave out of "any day" or "all week"; before anything else ("not", "after 3") it adds nothing.
_TAKEN_OUT_KINDS: Final = _DAY_KINDS - {"unit"} | {"part", "num"}
_TAKEN_OUT_WORDS: Final = _DAY_WORDS | {"the", "this", "next"}


@dataclass(slots=True)
class Segment:
    """What has to hold together: every entry of `days`, `weekdays`, `times` and `bounds` narrows the ones before.

    Within an entry of `days` or `times` any of its members will do.
    """

    days: list[list[Term]] = field(default_factory=list[list[Term]])
    weekdays: list[Weekdays] = field(default_factory=list[Weekdays])
    times: list[list[Times]] = field(default_factory=list[list[Times]])
    bounds: list[Bound] = field(default_factory=list[Bound])

    @property
    def says_day(self) -> bool:
        """Whether it says anything but times of day."""
        return bool(self.days or self.weekdays or self.bounds)


@dataclass(slots=True)
class Phrase:
    """A phrase taken apart: alternatives, and what is left out of all of them."""

    segments: list[Segment]
    without_days: list[Term]
    without_times: list[Times]


def read_phrase(phrase: str, now: Now) -> Phrase:
    """A phrase taken apart. Raises NotUnderstood for the first thing that does not fit."""
    return _Grammar(phrase, now).read()


class _Grammar:
    """One reading of one phrase, left to right."""

    def __init__(self, phrase: str, now: Now) -> None:
        self.said = phrase
        self.now = now
        self.reader = Reader(tokens(phrase, now))
        found = self.reader.tokens
        self.day_said = any(token.kind in _DAY_KINDS or token.text in _DAY_WORDS for token in found)
        self.stretches = any(token.kind in {"to", "join"} or token.text in {"until", "through"} for token in found)
        self.phrase = Phrase([Segment()], [], [])
        self.joiner = ""
        self.last = ""

    @property
    def segment(self) -> Segment:
        return self.phrase.segments[-1]

    def read(self) -> Phrase:
        reader = self.reader
        while reader.peek().kind != "end":
            if reader.peek().kind == "join":
                if self.joiner or not self.last:
                    raise self._stuck()
                self.joiner = reader.take().text
                # ", and" is one joiner
                if self.joiner == "comma" and reader.peek().kind == "join":
                    self.joiner = reader.take().text
                continue
            if self._skip():
                continue
            if not (self._exception() or self._limit() or self._days() or self._weekdays() or self._times()):
                if not self._preposition():
                    raise self._stuck()
                continue
            self.joiner = ""
        if self.joiner or not self.last:
            raise self._stuck()
        return self.phrase

    def _stuck(self) -> Exception:
        token = self.reader.peek()
        text = {"comma": ",", "end": ""}.get(token.text, token.text)
        here = f'at "{shown(text)}" ' if text else "to the end "
        return not_understood(f'I could not read "{shown(self.said)}" {here}as a time.')

    def _skip(self) -> bool:
        reader = self.reader
        if reader.kind("filler"):
            # "any time", "every day", "all of"
            if not (reader.words("time") or reader.words("day")):
                reader.words("of")
            return True
        return reader.peek().text == "but" and not self._all_but() and bool(reader.take())

    def _all_but(self) -> bool:
        """Whether "but" is here before a day or a part of the day, which it leaves out of "any day" and "all week"."""
        after = self.reader.peek(1)
        if self.reader.peek().text != "but":
            return False
        return after.kind in _TAKEN_OUT_KINDS or after.text in _TAKEN_OUT_WORDS

    def _preposition(self) -> bool:
        reader = self.reader
        if reader.peek().text not in PREPOSITIONS or reader.peek(1).kind in {"end", "join"}:
            return False
        word = reader.take().text
        if word in {"in", "during", "throughout", "of", "for"} and is_year(reader.peek()):
            self._add_days([Dated(0, 0, read_year(reader))])
            self.joiner = ""
        return True

    def _limit(self) -> bool:
        reader, start = self.reader, self.reader.at
        if self.stretches and not (self.joiner and self.last == "times"):
            stretch = read_stretch(reader, self.now)
            if isinstance(stretch, Weekdays):
                self._alternative()
                self.segment.weekdays.append(stretch)
                self.last = "weekdays"
                return True
            if stretch is not None:
                self._add_days([stretch])
                return True
            reader.at = start
        bound = None if self.joiner in _EITHER else read_bound(reader, self.now)
        if bound is None:
            reader.at = start
            return False
        self._clear(bound.end.times)
        times = bound.end.times
        if bound.kind == "by" and bound.end.days is None and times and self.segment.says_day:
            # "Friday by 3": on that day, before then
            final = times.first or Moment(times.minutes()[1])
            self.segment.times.append([Times("before", final=final)])
            self.last = "times"
            return True
        self.segment.bounds.append(bound)
        self.last = "bound"
        return True

    def _days(self) -> bool:
        reader, start = self.reader, self.reader.at
        date = read_dated_weekday(reader, self.now) or read_date(reader, self.now)
        if date is not None:
            self._add_days([date])
            return True
        reader.at = start
        pieces = read_span(reader, self.now)
        if pieces is None:
            reader.at = start
            return False
        self._add_days([piece for piece in pieces if not isinstance(piece, Times | Weekdays)])
        for piece in pieces:
            if isinstance(piece, Times):
                self.segment.times.append([piece])
                self.last = "times"
            elif isinstance(piece, Weekdays):
                self.segment.weekdays.append(piece)
        return True

    def _weekdays(self) -> bool:
        reader, start = self.reader, self.reader.at
        weekdays = read_weekdays(reader)
        if weekdays is None:
            reader.at = start
            return False
        # "tomorrow, Thursday" says one day twice; "tomorrow, Thursday or Friday" is a list
        listed = self.joiner != "comma" or (not weekdays.single and self._single_day())
        if self.joiner and self.last == "days" and listed:
            self.segment.days[-1].append(weekdays)
        elif self._unlike("times"):
            reader.at = start
            return False
        else:
            self._alternative()
            self.segment.weekdays.append(weekdays)
            self.last = "weekdays"
        return True

    def _times(self) -> bool:
        reader, start = self.reader, self.reader.at
        listed = bool(self.joiner) and self.last == "times"
        times = read_times(reader, day_said=self.day_said, listed=listed)
        if times is None or self._unlike("days") or self._unlike("weekdays"):
            reader.at = start
            return False
        groups = self.segment.times
        if listed and not self._narrows(groups[-1][-1], times):
            groups[-1].append(times)
        else:
            groups.append([times])
        self.last = "times"
        return True

    def _unlike(self, kind: str) -> bool:
        """Whether "or" would join a day and a time ("after 3 or Thursday"), which make no alternatives."""
        if kind == "times" and self.segment.says_day:
            return False
        return self.joiner in _EITHER and self.last == kind

    def _clear(self, times: Times | None) -> None:
        moments = (times.first, times.final) if times else ()
        if not self.day_said and any(moment is not None and moment.yearlike for moment in moments):
            raise not_understood(f'"{shown(self.said)}" could be a year or a time: say "20:30" or "in 2030".')

    def _narrows(self, before: Times, times: Times) -> bool:
        """Whether a joined time limits the one before ("after 3 and before 5") rather than adding to it."""
        if self.joiner == "comma" and before.kind == "part" != times.kind:
            return True
        opens, closes = (before, times) if before.kind == "after" else (times, before)
        return (
            self.joiner in {"and", "comma"}
            and opens.kind == "after"
            and closes.kind == "before"
            and opens.minutes()[0] < closes.minutes()[1]
        )

    def _exception(self) -> bool:
        reader, start = self.reader, self.reader.at
        but = self._all_but()
        if but and not any(token.kind == "filler" and token.text in _ALL for token in reader.tokens[:start]):
            raise not_understood(f'"but {shown(reader.peek(1).text)}" can be read two ways: say "except" or "only".')
        if not (but and reader.take()) and not any(reader.words(*words) for words in _EXCEPT):
            return False
        count = len(self.phrase.without_days) + len(self.phrase.without_times)
        here = reader.at
        while True:
            reader.any_of("on", "in", "at")
            reader.kind("filler")
            if not self._left_out():
                reader.at = here
                break
            here = reader.at
            if not (reader.peek().kind == "join" and reader.peek().text != "comma"):
                break
            reader.take()
        if len(self.phrase.without_days) + len(self.phrase.without_times) == count:
            # "not before 3" and "no later than 5" are times of day
            reader.at = start
            return False
        self.last = self.last or "exception"
        return True

    def _left_out(self) -> bool:
        reader, here = self.reader, self.reader.at
        found: Term | None = read_stretch(reader, self.now) if self.stretches else None
        if found is None:
            reader.at = here
            found = read_weekdays(reader)
        if found is None:
            found = read_date(reader, self.now)
        if found is None:
            reader.at = here
            pieces = read_span(reader, self.now)
            if pieces and len(pieces) == 1 and isinstance(pieces[0], Days):
                found = pieces[0]
        if found is not None:
            after = reader.at
            if read_times(reader, day_said=True) is not None:
                raise not_understood("I can leave out whole days or the same hours of every day, not hours of one day.")
            reader.at = after
            self.phrase.without_days.append(found)
            return True
        reader.at = here
        times = read_times(reader, day_said=True)
        if times is None or times.kind == "at":
            return False
        self.phrase.without_times.append(times)
        return True

    def _add_days(self, terms: list[Term]) -> None:
        joined = self.joiner and (self.joiner != "comma" or self._apart(terms))
        if joined and self.last == "days":
            self.segment.days[-1] += terms
        elif joined and self.last == "weekdays" and self.joiner != "comma":
            self.segment.days.append([self.segment.weekdays.pop(), *terms])
        elif self._unlike("times"):
            raise self._stuck()
        else:
            self._alternative()
            self.segment.days.append(list(terms))
        self.last = "days"

    def _alternative(self) -> None:
        """Another alternative begins where a day is joined to days whose times are said already."""
        chosen = self.segment.says_day if self.joiner != "comma" else self.segment.days or self.segment.weekdays
        if self.joiner and self.last == "times" and chosen:
            self.phrase.segments.append(Segment())

    def _single_day(self) -> bool:
        return bool(self.segment.days) and all(
            (isinstance(term, Dated) and term.day) or (isinstance(term, Days) and term.size == 1)
            for term in self.segment.days[-1]
        )

    def _apart(self, terms: list[Term]) -> bool:
        """Whether days joined by a comma are different ones: "24 Nov, 26 Nov" and not "next week, 3 December"."""
        if self.last != "days":
            return False
        spans: list[list[Days]] = []
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
