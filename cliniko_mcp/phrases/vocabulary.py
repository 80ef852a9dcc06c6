"""The vocabulary: every word a phrase of time may hold, its spellings, and the words refused on purpose."""

from typing import Final, NamedTuple


class Word(NamedTuple):
    """A known word: its kind, its one spelling, and what it counts for (a weekday, a month, a number...)."""

    kind: str
    text: str
    value: int = 0


def _listed(words: str) -> list[str]:
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
_ONES = _listed(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90}
_ORDINALS = _listed(
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

# The parts of a day in minutes after midnight.
PARTS: Final = {
    "morning": (0, 720),
    "afternoon": (720, 1020),
    "evening": (1020, 1440),
    "lunchtime": (720, 840),
    "first thing": (0, 600),
    "am": (0, 720),
    "pm": (720, 1440),
}
_PART_SPELLINGS = {
    "morning": "morning morn mornin",
    "afternoon": "afternoon arvo avo aft afternoons arvos",
    "evening": "evening eve night nite evenings nights",
    "lunchtime": "lunchtime lunch lunchtimes",
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
    "this": "this ths",
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
    "except": "except excluding excl exept excpet",
    "through": "through thru",
}
# Words of the grammar that have one spelling.
_PLAIN = _listed(
    "a an the of in on at by to for during throughout over within since now right so far date end start beginning "
    "middle mid early late later earlier rest remainder ago hence time thing not no but apart other than without "
    "onwards onward o oh couple starting ending gone just up earlier later"
)
# Words that decide nothing: politeness, and determiners that the interval says anyway.
_POLITE = _listed("please pls plz thanks ta")
_FILLERS = _listed("only either any anytime every each all whole entire")

PREPOSITIONS: Final = frozenset(_listed("on in at of the during throughout over for"))

VAGUE: Final = frozenset(
    _listed(
        "soon soonish asap sometime sometimes someday ish around about roughly approximately approx circa whenever "
        "eventually shortly few several some recently lately maybe perhaps probably preferably ideally sooner soonest"
    )
)
UNDATED: Final = frozenset(
    _listed(
        "spring summer autumn fall winter christmas xmas easter anzac boxing thanksgiving halloween diwali ramadan eid "
        "hanukkah passover matariki waitangi holiday holidays hols valentine valentines birthday term semester "
        "season seasons"
    )
)


def _spread(table: dict[str, Word], kind: str, text: str, value: int, spellings: str) -> None:
    for spelling in spellings.split():
        table[spelling] = Word(kind, text, value)


def _vocabulary() -> dict[str, Word]:
    table: dict[str, Word] = {}
    for text in _PLAIN:
        table[text] = Word("word", text)
    for text in _FILLERS:
        table[text] = Word("filler", text)
    for text in _POLITE:
        table[text] = Word("polite", text)
    for text, spellings in _SPELLINGS.items():
        _spread(table, "word", text, 0, spellings)
    for number, spellings in enumerate(_WEEKDAYS, 1):
        name = spellings.split()[0]
        _spread(table, "weekday", name, number, spellings)
        _spread(table, "weekday", name + "s", number, f"{name}s {name[:3]}s")
    # "tues" and "weds" are how people shorten one day; "mons" or "suns" mean each of them
    table["tues"], table["weds"] = table["tue"], table["wed"]
    for number, spellings in enumerate(_MONTHS, 1):
        _spread(table, "month", spellings.split()[0], number, spellings)
    for number, text in enumerate(_ONES):
        table[text] = Word("num", text, number)
    for text, number in _TENS.items():
        table[text] = Word("num", text, number)
    for number, text in enumerate(_ORDINALS, 1):
        table[text] = Word("ord", text, number)
    table["thirtieth"] = Word("ord", "thirtieth", 30)
    for text, spellings in UNITS.items():
        _spread(table, "unit", text, 0, spellings)
    for text, spellings in _PART_SPELLINGS.items():
        _spread(table, "part", text, 0, spellings)
    for spelling in _listed("mornings afternoons arvos evenings nights lunchtimes"):
        base = table[spelling[:-1]].text
        table[spelling] = Word("part", base, 1)
    for spelling in ("am", "pm"):
        table[spelling] = Word("part", spelling)
    for spelling in ("weekends", "wkends", "weekdays", "wkdays", "workdays"):
        base = table[spelling[:-1]].text
        table[spelling] = Word("word", base, 1)
    table["weekend"] = Word("word", "weekend")
    return table


WORDS: Final = _vocabulary()

# One slip of the finger is forgiven in long words only: short ones lie too close together to be sure.
_LONG: Final = frozenset(
    word for word, known in WORDS.items() if len(word) >= 6 and known.kind in {"weekday", "month", "part"}
) | {
    "tomorrow",
    "yesterday",
    "tonight",
    "weekend",
    "weekends",
    "weekday",
    "weekdays",
    "fortnight",
    "between",
    "midnight",
}
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"


def known(spelling: str) -> Word | None:
    """The word of a spelling, forgiving one missing, extra, wrong or swapped letter in a long word; None if unknown.

    A slip that could come from two words ("thuesday") stays unknown.
    """
    word = WORDS.get(spelling)
    if word is not None or not 5 <= len(spelling) <= 12 or spelling in VAGUE or spelling in UNDATED:
        return word
    meant: set[Word] = set()
    for cut in range(len(spelling) + 1):
        head, tail = spelling[:cut], spelling[cut:]
        slips = [head + letter + tail for letter in _LETTERS]
        if tail:
            slips.append(head + tail[1:])
            slips += [head + letter + tail[1:] for letter in _LETTERS]
            if len(tail) > 1:
                slips.append(head + tail[1] + tail[0] + tail[2:])
        meant.update(WORDS[slip] for slip in slips if slip in _LONG)
    return meant.pop() if len(meant) == 1 else None
