"""The vocabulary: every word that a phrase of time may contain, its spellings, and the words refused on purpose."""

from typing import Final, NamedTuple


class Word(NamedTuple):
    """A known word: its kind, its standard spelling, and the number that it stands for (a weekday, a month ...)."""

    kind: str
    text: str
    value: int = 0


def _words(words: str) -> list[str]:
    return words.split()


WEEKDAY_NAMES: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTH_NAMES: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

_WEEKDAYS = (
    "monday mon mondy",
    "tuesday tue tues tu teusday tuesdy",
    "wednesday wed weds midweek wensday wednsday wendsday wedensday",
    "thursday thu thur thurs thr thrs thurday",
    "friday fri fr frid",
    "saturday sat satdy",
    "sunday sun",
)
_MONTHS = (
    "january jan",
    "february feb febuary",
    "march mar",
    "april apr",
    "may",
    "june jun",
    "july jul",
    "august aug",
    "september sep sept",
    "october oct",
    "november nov",
    "december dec",
)
_BELOW_TWENTY = _words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = _words("twenty thirty forty fifty sixty seventy eighty ninety")
_ORDINALS = _words(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth"
)

UNITS: Final = {
    "minute": "minute minutes min mins",
    "hour": "hour hours hr hrs h",
    "day": "day days d",
    "week": "week weeks wk wks w weekk",
    "fortnight": "fortnight fortnights fornight fortnite",
    "month": "month months mth mths mnth mnths",
    "quarter": "quarters",
    "year": "year years yr yrs",
}

# The parts of a day as start and end in minutes after midnight.
DAY_PARTS: Final = {
    "morning": (0, 720),
    "afternoon": (720, 1020),
    "evening": (1020, 1440),
    "lunchtime": (720, 840),
    "first thing": (0, 600),
    "am": (0, 720),
    "pm": (720, 1440),
    "early morning": (0, 540),
    "mid-morning": (540, 660),
    "late morning": (600, 720),
    "early afternoon": (720, 840),
    "mid-afternoon": (840, 960),
    "late afternoon": (900, 1020),
    "early evening": (1020, 1140),
    "late evening": (1200, 1440),
}
_PART_SPELLINGS = {
    "morning": "morning morn mornin",
    "afternoon": "afternoon arvo avo aft afternoons arvos",
    "evening": "evening eve night nite evenings nights",
    "lunchtime": "lunchtime lunch lunchtimes",
}
# the pieces of parts, as one word: `phrases/idioms.py` joins them
_PIECES_OF_PARTS: Final = {
    "morning": ("early mid late", "morning morn"),
    "afternoon": ("early mid late", "afternoon arvo avo aft"),
    "evening": ("early late", "evening eve"),
}

_SPELLINGS: Final = {
    "today": "today 2day tday todya todays",
    "tomorrow": "tomorrow tmrw tmr tmw tmrow tmrrw tomoz tomo tomorow tommorow tommorrow tomorro "
    "tomoro tmoro tomora 2moro 2morro 2morrow "
    "2mrw morrow",
    "yesterday": "yesterday ystrdy yday yest",
    "tonight": "tonight tonite 2night 2nite tonigt",
    "next": "next nxt nex",
    "last": "last lst",
    "past": "past",
    "previous": "previous prev",
    "this": "this ths current",
    "coming": "coming upcoming",
    "weekend": "weekend wkend wkd wknd weekends wkends",
    "weekday": "weekday weekdays wkday wkdays workday workdays",
    "noon": "noon midday",
    "midnight": "midnight midnite",
    "oclock": "oclock",
    "commencing": "commencing w/c w/b",
    "half": "half",
    "quarter": "quarter qtr",
    "before": "before befor bfore b4",
    "after": "after aftr",
    "until": "until till til untill",
    "between": "between betwen btwn btw",
    "from": "from frm",
    "except": "except excluding exclude excl exept excpet excepting bar barring skip skipping minus",
    "through": "through thru",
}
# Words of the grammar that have only one spelling.
_PLAIN = _words(
    "a an the of in on at by to for during throughout over within since now right so far date end start beginning "
    "middle mid early late later earlier rest remainder ago hence time thing not no but apart other than without "
    "onwards onward o oh couple starting ending gone just up same following full complete calendar latter more less "
    "longer older least most fewer under including "
    "save aside leaving leave out that slot"
)
# Words that change nothing: politeness, and determiners that the interval implies anyway.
_POLITE = _words("please pls plz thanks ta inclusive incl")
# Hedges that do not change the span; beside a real one they are dropped, alone they stay an error.
_HEDGES = _words(
    "maybe perhaps probably possibly preferably ideally hopefully sometime say um uh er hmm well okay ok then like "
    "instead sharp"
)
_FILLERS = _words("only either any anytime every each all whole entire")

PREPOSITIONS: Final = frozenset(_words("on in at of the during throughout over for"))

VAGUE: Final = frozenset(
    _words(
        "soon soonish asap sometimes someday ish around about roughly approximately approx circa whenever "
        "eventually shortly few several some recently lately sooner soonest"
    )
)
UNDATED: Final = frozenset(
    _words(
        "spring summer autumn fall winter christmas xmas easter anzac boxing thanksgiving halloween diwali ramadan eid "
        "hanukkah passover matariki waitangi holiday holidays hols valentine valentines birthday term semester "
        "season seasons"
    )
)


def _add_spellings(table: dict[str, Word], kind: str, text: str, value: int, spellings: str) -> None:
    for spelling in spellings.split():
        table[spelling] = Word(kind, text, value)


def _vocabulary() -> dict[str, Word]:
    table: dict[str, Word] = {}
    for text in _PLAIN:
        table[text] = Word("word", text)
    for text in _FILLERS:
        table[text] = Word("filler", text)
    for text in _HEDGES:
        table[text] = Word("hedge", text)
    for text in _POLITE:
        table[text] = Word("polite", text)
    for text, spellings in _SPELLINGS.items():
        _add_spellings(table, "word", text, 0, spellings)
    for number, spellings in enumerate(_WEEKDAYS, 1):
        name = spellings.split()[0]
        _add_spellings(table, "weekday", name, number, spellings)
        _add_spellings(table, "weekday", name + "s", number, f"{name}s {name[:3]}s")
    # "tues" and "weds" are short forms of one day; "mons" and "suns" mean every such day
    table["tues"], table["weds"] = table["tue"], table["wed"]
    for number, spellings in enumerate(_MONTHS, 1):
        _add_spellings(table, "month", spellings.split()[0], number, spellings)
    for number, text in enumerate(_BELOW_TWENTY):
        table[text] = Word("num", text, number)
    for number, text in enumerate(_TENS, 2):
        table[text] = Word("num", text, 10 * number)
    for number, text in enumerate(_ORDINALS, 1):
        table[text] = Word("ord", text, number)
    table["thirtieth"] = Word("ord", "thirtieth", 30)
    for text, spellings in UNITS.items():
        _add_spellings(table, "unit", text, 0, spellings)
    for text, spellings in _PART_SPELLINGS.items():
        _add_spellings(table, "part", text, 0, spellings)
    for spelling in _words("mornings afternoons arvos evenings nights lunchtimes"):
        base = table[spelling[:-1]].text
        table[spelling] = Word("part", base, 1)
    for part, (pieces, spellings) in _PIECES_OF_PARTS.items():
        for piece in pieces.split():
            text = f"mid-{part}" if piece == "mid" else f"{piece} {part}"
            for spelling in spellings.split():
                table[f"{piece}{spelling}"] = Word("part", text)
                table[f"{piece}{spelling}s"] = Word("part", text, 1)
    table["latenight"] = Word("part", "late evening")
    for spelling in ("am", "pm"):
        table[spelling] = Word("part", spelling)
    for spelling in ("weekends", "wkends", "weekdays", "wkdays", "workdays"):
        base = table[spelling[:-1]].text
        table[spelling] = Word("word", base, 1)
    table["weekend"] = Word("word", "weekend")
    return table


WORDS: Final = _vocabulary()

# Calendar words by their full spellings: one typing mistake in them is corrected.
_CORRECTED: Final = frozenset(
    (
        *(f"{name.casefold()}{ending}" for name in WEEKDAY_NAMES for ending in ("", "s")),
        *(name.casefold() for name in MONTH_NAMES if len(name) >= 4),
        *_words("morning mornings afternoon afternoons evening evenings night nights lunch lunchtime lunchtimes"),
        *_words("week weeks month months year years days hour hours minute minutes quarter"),
        *_words("fortnight fortnights today tomorrow yesterday tonight weekend weekends weekday weekdays midnight"),
        *_words("midday noon between"),
    )
)
# Numbers and short forms are words as well: what is one slip from one of them and from a calendar word is neither.
_RIVALS: Final = frozenset(
    spelling
    for spelling, word in WORDS.items()
    if len(spelling) >= 3
    and (word.kind in {"num", "ord"} or (len(spelling) <= 4 and word.kind in {"weekday", "month", "unit", "part"}))
)
# English words that are no slip of a calendar word although they look like one.
_OTHER_WORDS: Final = frozenset(
    _words(
        "weak seek meek peek reek leek geek near dear hear fear gear wear tear rear bear pear tears bears fears gears "
        "your yours pour tour sour tours pours moth mouth moths mouths match marsh jury jane dune tune fight light "
        "might sight tight lights says lays pays bays rays ways dads mourning bunch hunch punch lunge moon soon boon "
        "ear our yea wee eek non nun toddy sundae someday earl"
    )
)
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"


def look_up(spelling: str) -> Word | None:
    """The word with this spelling, or None; in a calendar word one letter may be missing, extra, wrong or swapped.

    A misspelling of two words at once ("thuesday") stays unknown.
    """
    word = WORDS.get(spelling)
    if word is not None or not 3 <= len(spelling) <= 12:
        return word
    if spelling in VAGUE or spelling in UNDATED or spelling in _OTHER_WORDS:
        return None
    calendar: set[Word] = set()
    others: set[Word] = set()
    for cut in range(len(spelling) + 1):
        head, tail = spelling[:cut], spelling[cut:]
        corrections = [head + letter + tail for letter in _LETTERS]
        if tail:
            corrections.append(head + tail[1:])
            corrections += [head + letter + tail[1:] for letter in _LETTERS]
            if len(tail) > 1:
                corrections.append(head + tail[1] + tail[0] + tail[2:])
        calendar.update(WORDS[correction] for correction in corrections if correction in _CORRECTED)
        others.update(WORDS[correction] for correction in corrections if correction in _RIVALS)
    return next(iter(calendar)) if calendar and len(calendar | others) == 1 else None
