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
# Words of the grammar that have only one spelling.
_PLAIN = _words(
    "a an the of in on at by to for during throughout over within since now right so far date end start beginning "
    "middle mid early late later earlier rest remainder ago hence time thing not no but apart other than without "
    "onwards onward o oh couple starting ending gone just up earlier later"
)
# Words that change nothing: politeness, and determiners that the interval implies anyway.
_POLITE = _words("please pls plz thanks ta")
_FILLERS = _words("only either any anytime every each all whole entire")

PREPOSITIONS: Final = frozenset(_words("on in at of the during throughout over for"))

VAGUE: Final = frozenset(
    _words(
        "soon soonish asap sometime sometimes someday ish around about roughly approximately approx circa whenever "
        "eventually shortly few several some recently lately maybe perhaps probably preferably ideally sooner soonest"
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
    for spelling in ("am", "pm"):
        table[spelling] = Word("part", spelling)
    for spelling in ("weekends", "wkends", "weekdays", "wkdays", "workdays"):
        base = table[spelling[:-1]].text
        table[spelling] = Word("word", base, 1)
    table["weekend"] = Word("word", "weekend")
    return table


WORDS: Final = _vocabulary()

# One typing mistake is corrected in long words only: short ones are too similar to each other.
_LONG: Final = frozenset(
    spelling for spelling, word in WORDS.items() if len(spelling) >= 6 and word.kind in {"weekday", "month", "part"}
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


def look_up(spelling: str) -> Word | None:
    """The word with this spelling, or None; in a long word one letter may be missing, extra, wrong or swapped.

    A misspelling of two words at once ("thuesday") stays unknown.
    """
    word = WORDS.get(spelling)
    if word is not None or not 5 <= len(spelling) <= 12 or spelling in VAGUE or spelling in UNDATED:
        return word
    candidates: set[Word] = set()
    for cut in range(len(spelling) + 1):
        head, tail = spelling[:cut], spelling[cut:]
        corrections = [head + letter + tail for letter in _LETTERS]
        if tail:
            corrections.append(head + tail[1:])
            corrections += [head + letter + tail[1:] for letter in _LETTERS]
            if len(tail) > 1:
                corrections.append(head + tail[1] + tail[0] + tail[2:])
        candidates.update(WORDS[correction] for correction in corrections if correction in _LONG)
    return candidates.pop() if len(candidates) == 1 else None
