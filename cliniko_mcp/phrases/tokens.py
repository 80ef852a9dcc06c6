"""The tokeniser: corrects spelling, recognises numbers, clock times and dates, and refuses every unknown word."""

import re
import unicodedata
from datetime import date, datetime, timedelta, timezone
from typing import Final, NamedTuple

from cliniko_mcp.phrases.clock import ClockTime, clock_time_of
from cliniko_mcp.phrases.dates import Now, PartialDate
from cliniko_mcp.phrases.idioms import in_plain_words
from cliniko_mcp.phrases.periods import FINANCIAL_YEAR
from cliniko_mcp.phrases.refusals import not_understood, quotable
from cliniko_mcp.phrases.vocabulary import UNDATED, VAGUE, look_up

MAX_LENGTH: Final = 200
_LONGEST_MONTH: Final = 31
_HOURS_OF_A_CLOCK: Final = 12


class Token(NamedTuple):
    """A unit of a phrase.

    `kind` is one of num, ord, time, date, iso, month, year, fy, quarter, halfyear, weekday, unit, part, word, filler,
    hedge, join, to and end. `text` is
    the standard spelling. `value` is the number that the token stands for; it is 1 for a plural part of the day or set
    of days, and for a dash that may be a minus sign. `spaced` is true for a dash with spaces on both sides.
    """

    kind: str
    text: str
    value: int = 0
    clock_time: ClockTime | None = None
    date: PartialDate | None = None
    instant: datetime | None = None
    spaced: bool = False


END: Final = Token("end", "")
_COMMA: Final = Token("join", "comma")

_LEXER: Final = re.compile(
    r"""
      (?P<space>\ +)
    | (?P<fy>(?:fy|(?:financial|fiscal|fin|tax)\ (?:year|yr))\ ?(?:of\ |ending\ (?:in\ )?)?'?(?P<fa>\d{4}|\d\d)
        (?:\ ?[/-]\ ?'?(?P<fb>\d{4}|\d\d))?(?![\d:/]))
    | (?P<yearfy>'?(?P<fc>\d{4}|\d\d)(?:[/-]'?(?P<fd>\d{4}|\d\d))?\ (?:financial|fiscal|fin|tax)\ (?:year|yr)\b)
    | (?P<fyword>(?:financial|fiscal|fin|tax)\ (?:year|yr)\b|fy\b)
    | (?P<quarter>q(?P<qa>[1-4])(?!\d)|(?:quarter|qtr)\ (?P<qb>[1-4])(?![\d:.]))
    | (?P<halfyear>h(?P<ha>[12])\b)
    | (?P<apostrophe>'(?P<ya>\d\d)(?!\d))
    | (?P<iso>(?P<iy>\d{4})-(?P<im>\d\d)-(?P<id>\d\d)
        (?: t(?P<ih>\d\d)(?: :?(?P<ii>\d\d)(?: :?(?P<is>\d\d)(?:[.,]\d{1,9})?)?)?(?P<iz>z|[+-]\d\d(?::?\d\d)?)?
          | \ (?P<jh>\d\d):(?P<ji>\d\d)
            (?: :(?P<js>\d\d)(?:\.\d{1,9})?(?P<jz>\ ?z|\ ?[+-]\d\d:?\d\d)?
              | (?P<kz>\ ?z|\+\d\d:?\d\d))
        )?(?![\d:]))
    | (?P<basic>(?P<by>\d{4})(?P<bm>\d\d)(?P<bd>\d\d)
        (?: t(?P<bh>\d\d)(?P<bi>\d\d)(?P<bs>\d\d)?(?P<bz>z|[+-]\d{4})?)?(?![\d:]))
    | (?P<isoweek>(?P<wy>\d{4})-?w(?P<ww>\d\d)(?:-?(?P<wd>[1-7]))?(?!\d))
    | (?P<isoday>(?P<oy>\d{4})-(?P<od>\d{3})(?![\d-]))
    | (?P<isomonth>(?P<my>\d{4})-(?P<mm>\d\d)(?![\d-]))
    | (?P<ymd>(?P<yy>\d{4})/(?P<ym>\d{1,2})/(?P<yd>\d{1,2})(?![\d/]))
    | (?P<dmy>(?P<da>\d{1,2})(?P<sep>[/.-])(?P<db>\d{1,2})(?P=sep)(?P<dy>\d{4}|\d\d)(?![\d/:]))
    | (?P<dm>(?P<ea>\d{1,2})/(?P<eb>\d{1,2})(?![\d/:]|\.\d))
    | (?P<hm>(?:t(?=\d\d:))?(?P<hh>\d{1,2})[:.](?P<hi>\d\d)(?: :\d\d)?(?![\d:])
        (?:\ ?(?P<hs>[ap])\.?\ ?m\b\.?|(?P<ht>[ap])\b)?)
    | (?P<h>(?P<sh>\d{1,2}?)(?P<si>\d\d)??(?:\ ?(?P<ss>[ap])\.?m\b\.?|\ (?P<st>[ap])\.\ m\b\.?|(?P<su>[ap])\b))
    | (?P<french>(?P<fh>\d{1,2})h(?P<fi>\d\d)(?!\d))
    | (?P<hours>(?P<gh>\d\d)(?P<gi>\d\d)\ ?(?:hrs|hours|h)\b)
    | (?P<ord>(?P<on>\d{1,2})(?:st|nd|rd|th)\b)
    | (?P<text>2(?:day|moro|morro|morrow|mrw|nite|night)\b|b4\b|w/[cb]\b|[ap]\.m\b\.?|[a-z]+(?:'[a-z]+)*(?:'(?!\d))?)
    | (?P<num>\d{1,4}(?!\d))
    | (?P<comma>[,;]) | (?P<and>[&+]) | (?P<slash>/) | (?P<dash>-) | (?P<at>@)
    | (?P<stop>[.!?]+(?=\ |$|,))
    | (?P<tilde>~) | (?P<dots>\.{2,3})
    """,
    re.VERBOSE | re.ASCII,
)
_EQUIVALENT_CHARACTERS: Final = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u02bc": "'", "`": "'", "\u00a0": " ", "\u202f": " ", "\u2009": " "}
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-")
)
# the kinds of token that a dash may join when it means "to"
_ENDS: Final = frozenset(
    ("num", "ord", "time", "date", "iso", "month", "weekday", "part", "year", "fy", "quarter", "halfyear")
)
_END_WORDS: Final = frozenset(("today", "tomorrow", "yesterday", "now", "noon", "midnight", "oclock"))


def tokenise(phrase: str, now: Now) -> list[Token]:
    """The tokens of a phrase, without words such as "please".

    Raises NotUnderstood for an empty or overlong phrase and for anything that is not a word of time.
    """
    text = _normalised(phrase)
    found: list[Token] = []
    spaced = False
    at = 0
    while at < len(text):
        match = _LEXER.match(text, at)
        if match is None:
            raise not_understood(f'I could not read "{quotable(text[at : at + 12])}" in "{quotable(phrase)}".')
        # the outermost group closes last, so it is the one that names the kind
        kind = match.lastgroup or ""
        at = match.end()
        if kind == "space":
            spaced = True
            continue
        if kind != "stop":
            after = match.string[match.end() : match.end() + 1]
            token = _token(kind, match, now, spaced and after == " ")
            found.append(token._replace(value=1) if kind == "dash" and spaced and after.isdigit() else token)
        spaced = False
    if found and all(token.kind in {"hedge", "polite"} or token == _COMMA for token in found):
        raise _too_vague(quotable(phrase))
    kept = _join_numbers(_without_politeness(found))
    _refuse_bare_number(kept)
    return _without_binding_dashes(kept)


def _refuse_bare_number(found: list[Token]) -> None:
    """Raise NotUnderstood for "Thursday 10", which is an hour to one and a day of the month to another."""
    words = [token for token in found if token != _COMMA]
    if len(words) < 2 or words[-2].kind != "weekday" or words[-1].kind != "num" or words[-1].value > _LONGEST_MONTH:
        return
    name, number = words[-2].text.capitalize(), words[-1].value
    hour = f'"{name} at {number}" or ' if number <= _HOURS_OF_A_CLOCK else ""
    raise not_understood(
        f'"{name} {number}" can be an hour or a day of the month: say {hour}"{name} the {number}{_ending(number)}".'
    )


def _ending(number: int) -> str:
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number not in (11, 12, 13) else 0, "th")


def _without_politeness(found: list[Token]) -> list[Token]:
    """The tokens without hedges and words such as "please", and without the commas that only set these apart."""
    kept: list[Token] = []
    dropped = False
    for token in found:
        if token.kind in {"polite", "hedge"}:
            dropped = True
            continue
        if not (dropped and token == _COMMA and kept and kept[-1] == _COMMA):
            kept.append(token)
        dropped = False
    while kept and kept[-1] == _COMMA:
        kept.pop()
    while kept and kept[0] == _COMMA:
        kept.pop(0)
    return kept


def _normalised(phrase: str) -> str:
    if len(phrase) > MAX_LENGTH:
        raise not_understood(f"A phrase of time is at most {MAX_LENGTH} characters long.")
    text = unicodedata.normalize("NFKC", phrase.translate(_EQUIVALENT_CHARACTERS)).strip(" \t\r\n").casefold()
    text = in_plain_words(text).strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1].strip()
    if not text:
        raise not_understood("The phrase is empty.")
    return text


def _token(kind: str, match: re.Match[str], now: Now, spaced: bool) -> Token:
    text = match[kind]
    if kind == "text":
        return _word_token(text)
    if kind == "num":
        return Token("num", text, int(text))
    if kind == "ord":
        return Token("ord", text, int(match["on"]))
    if kind in {"hm", "h", "french", "hours"}:
        return _clock_token(kind, match)
    if kind in {"fy", "yearfy"}:
        return _financial_year(match, text)
    if kind == "fyword":
        return Token("word", FINANCIAL_YEAR)
    if kind in {"quarter", "halfyear"}:
        return Token(kind, text, int(match["qa"] or match["qb"] or match["ha"]))
    if kind == "apostrophe":
        return Token("year", text, _century(int(match["ya"])))
    if kind in {"dm", "dmy", "ymd"}:
        return Token("date", text, date=_numeric_date(kind, match, now))
    if kind in {"comma", "and"}:
        return Token("join", kind)
    if kind == "dots":
        return Token("to", "to")
    if kind == "dash":
        return Token("to", "-", spaced=spaced)
    if kind == "slash":
        return Token("join", "/")
    if kind == "at":
        return Token("word", "at")
    if kind == "tilde":
        raise _too_vague("~")
    return _iso_token(kind, match)


def _word_token(text: str) -> Token:
    spelling = text if text in {"b4", "w/c", "w/b"} else text.removesuffix("'").removesuffix("'s").replace(".", "")
    spelling = spelling.replace("'", "")
    if spelling in {"and", "or", "nor", "n"}:
        return Token("join", "and" if spelling == "n" else spelling)
    if spelling == "to":
        return Token("to", "to")
    if spelling in VAGUE:
        raise _too_vague(spelling)
    if spelling in UNDATED:
        raise not_understood(
            f'Seasons and holidays such as "{quotable(spelling)}" have no fixed dates here: give the date itself.'
        )
    word = look_up(spelling)
    if word is None:
        raise not_understood(f'I do not know the word "{quotable(text)}" as a time.')
    return Token(*word)


def _century(year: int) -> int:
    return year + (2000 if year < 70 else 1900) if year < 100 else year


def _financial_year(match: re.Match[str], text: str) -> Token:
    """A financial year, whose value is the calendar year that it ends in: "FY26", "2025-26 financial year"."""
    first, last = match["fa"] or match["fc"], match["fb"] or match["fd"]
    ends = _century(int(last or first))
    if last and ends != _century(int(first)) + 1:
        raise not_understood(f'"{quotable(text)}" is no financial year: it runs from one year into the next.')
    return Token("fy", text, ends)


def _too_vague(text: str) -> Exception:
    return not_understood(f'"{text}" is too vague for a diary: name a day, a span or a time.')


def _clock_token(kind: str, match: re.Match[str]) -> Token:
    hour, minute, suffix = {
        "hm": (match["hh"], match["hi"], match["hs"] or match["ht"]),
        "h": (match["sh"], match["si"], match["ss"] or match["st"] or match["su"]),
        "french": (match["fh"], match["fi"], None),
        "hours": (match["gh"], match["gi"], None),
    }[kind]
    padded = kind in {"french", "hours"} or (len(hour) == 2 and hour[0] == "0")
    time = clock_time_of(int(hour), int(minute or 0), f"{suffix}m" if suffix else "", padded=padded)
    if time is None:
        raise not_understood(f'No clock shows "{quotable(match[kind])}".')
    return Token("time", match[kind], clock_time=time)


def _numeric_date(kind: str, match: re.Match[str], now: Now) -> PartialDate:
    if kind == "ymd":
        day, month, year = int(match["yd"]), int(match["ym"]), int(match["yy"])
    else:
        first, second = (match["ea"], match["eb"]) if kind == "dm" else (match["da"], match["db"])
        day, month = (int(second), int(first)) if now.month_first else (int(first), int(second))
        year = int(match["dy"]) if kind == "dmy" else 0
        year += 2000 if kind == "dmy" and len(match["dy"]) == 2 else 0
    if not (1 <= day <= 31 and 1 <= month <= 12):
        order = "month first" if now.month_first else "day first"
        raise not_understood(f'"{quotable(match[kind])}" is not a date ({order} in this clinic).')
    return PartialDate(day, month, year)


def _iso_token(kind: str, match: re.Match[str]) -> Token:
    text = match[kind]
    try:
        if kind == "isomonth":
            month = int(match["mm"])
            date(int(match["my"]), month, 1)
            return Token("iso", text, date=PartialDate(0, month, int(match["my"])))
        if kind == "isoweek":
            monday = date.fromisocalendar(int(match["wy"]), int(match["ww"]), int(match["wd"] or 1))
            dated = PartialDate(monday.day, monday.month, monday.year)
            return Token("iso", text, value=1 if match["wd"] else 7, date=dated)
        if kind == "isoday":
            day = date(int(match["oy"]), 1, 1) + timedelta(days=int(match["od"]) - 1)
            if day.year != int(match["oy"]):
                raise ValueError
            return Token("iso", text, value=1, date=PartialDate(day.day, day.month, day.year))
        if kind == "basic":
            names = ("by", "bm", "bd", "bh", "bi", "bs", "bz")
        elif match["jh"]:
            names = ("iy", "im", "id", "jh", "ji", "js", "jz" if match["jz"] else "kz")
        else:
            names = ("iy", "im", "id", "ih", "ii", "is", "iz")
        year, month, day_number, hour, minute, second, offset = (match[name] for name in names)
        day = date(int(year), int(month), int(day_number))
        if hour is None:
            return Token("iso", text, value=1, date=PartialDate(day.day, day.month, day.year))
        wall = datetime(day.year, day.month, day.day)
        if (int(hour), int(minute or 0)) == (24, 0):
            wall += timedelta(days=1)
        else:
            wall = wall.replace(hour=int(hour), minute=int(minute or 0), second=int(second or 0))
        return Token("iso", text, instant=wall.replace(second=0, tzinfo=_offset(offset) if offset else None))
    except (ValueError, OverflowError):
        raise not_understood(f'There is no "{quotable(text)}" in the calendar.') from None


def _offset(text: str) -> timezone:
    digits = re.sub(r"\D", "", text)
    if not digits:
        return timezone(timedelta(0))
    span = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    if span > timedelta(hours=14):
        raise ValueError(text)
    return timezone(-span if "-" in text else span)


def _join_numbers(found: list[Token]) -> list[Token]:
    """The tokens with tens and ones joined: "twenty five" as 25, "twenty-first" as the 21st."""
    joined: list[Token] = []
    for token in found:
        tens = joined[-1] if joined else END
        dash = tens.kind == "to" and tens.text == "-" and len(joined) > 1
        if dash:
            tens = joined[-2]
        small = token.kind in {"num", "ord"} and token.text.isalpha() and 1 <= token.value <= 9
        if small and tens.kind == "num" and tens.text.isalpha() and tens.value in range(20, 100, 10):
            del joined[-2 if dash else -1 :]
            joined.append(Token(token.kind, f"{tens.text}{token.text}", tens.value + token.value))
        else:
            joined.append(token)
    return joined


def _without_binding_dashes(found: list[Token]) -> list[Token]:
    """The tokens without dashes that only join words ("mid-week", "24-Nov"); the remaining dashes mean "to"."""
    kept: list[Token] = []
    for at, token in enumerate(found):
        if token.text == "-" and token.kind == "to":
            before, after = (found[at - 1] if at else END), (found[at + 1] if at + 1 < len(found) else END)
            inside = before is not END and after is not END
            if (
                inside
                and not token.spaced
                and (
                    _only_binds(found, at, before, after)
                    or not (token.value or (_can_end_range(before) and _can_end_range(after)))
                )
            ):
                continue
        kept.append(token)
    return kept


def _can_end_range(token: Token) -> bool:
    return token.kind in _ENDS or token.text in _END_WORDS


def _only_binds(found: list[Token], at: int, before: Token, after: Token) -> bool:
    if before.kind in {"num", "ord"} and after.kind == "month":
        return not (at >= 2 and found[at - 2].kind == "month")
    if before.kind == "month" and after.kind in {"num", "ord"}:
        return not (at + 2 < len(found) and found[at + 2].kind == "month")
    return before.kind == "num" and after.kind == "part"
