"""Idioms: turns of phrase that are said in other words before a phrase is read, and those that are refused with advice.

The desks of four countries say one thing in many ways: "by COB" is by the end of the day, "first up" first thing, "wc 7
Dec" the week commencing then. What depends on a household, a clinic or a state ("after school", "the long weekend") has
no hour or date that could be known here, and the refusal says what to say instead.
"""

import re
from typing import Final

from cliniko_mcp.phrases.refusals import not_understood, quotable

_DAY: Final = (
    r"(?:this|today|tomorrow|tmrw|tomoz|mon|tues?|wed|weds|thu|thurs?|fri|sat|sun"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day)"
)
_PART: Final = r"morn(?:ing)?|arvo|avo|aft(?:ernoon)?|eve(?:ning)?|nights?"
_CLOSE: Final = (
    r"(?:cob|c\.o\.b\.?|eod|e\.o\.d\.?|(?:the )?(?:close|end) of (?:business|play|trade)|closing(?: time)?|close"
    r"|knock[ -]?off(?: time)?|home time)"
)
_MEALS: Final = (
    r"breakfast|brekkie|brekky|brunch|(?:morning|afternoon) tea|tea ?time|tea|dinner(?: ?time)?|supper|smoko|work"
    r"|the school run"
)

# what is said in other words, in this order
_REWRITTEN: Final = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"\bweek-end", "weekend"),
        (r"\bup to and including\b", "until"),
        (r"\bprior to\b", "before"),
        (
            r"\b(?:if (?:at all )?possible|if (?:you|we|they) can|(?:at )?some ?(?:time|point|stage)(?! ago)"
            r"|i (?:think|guess|suppose)|i would say)\b",
            " maybe ",
        ),
        (
            rf"[, ]*\b(?:rather than|instead of|in place of) (?:(?:at|on) )?(?:{_DAY}|\d\d?(?:[:.]\d\d)?(?: ?[ap]m)?)$",
            "",
        ),
        (r"\b(?:,? ?failing (?:that|which)|or if not|or else|otherwise)\b,?", " or"),
        (r"\b(?:straight|right|directly|immediately) (?=after\b|before\b)", ""),
        (r"(?<![\w:.])(?:at )?(\d\d?(?:[:.]\d\d)?(?: ?[ap]m)?) (?:on the (?:dot|nose)|sharp)\b", r"at \1"),
        (r"\b(?:bang|dead) on (?=\d)", "at "),
        (r"\bfirst up\b", "first thing"),
        (r"\bw\.?c\.? (?=the |mon|\d)|\b(?:week|wk) (?:beg|comm?)\b\.?", "w/c "),
        (r"\b(?:tail|back|latter|far) end of\b", "end of"),
        (r"\b(?:back|latter) half of\b", "second half of"),
        (r"\b(?:front|early) half of\b", "first half of"),
        (r"\b(?:the )?first half of (?=(?:19|20)\d\d\b)", "h1 "),
        (r"\b(?:the )?second half of (?=(?:19|20)\d\d\b)", "h2 "),
        (r"\b(same (?:time|slot))(?: please)? ?, ?", r"\1 "),
        (r"^(\d\d?) (?=(?:today|tomorrow|tmrw|tomoz|yesterday)\b|on (?:the )?\d)", r"at \1 "),
        (r"\b(an?|one|two|three|four|\d\d?) (days?|weeks?|fortnights?|months?) on$", r"\1 \2 later"),
        (r"\bfront end of\b", "start of"),
        (r"\bthis calendar (?=week|month|quarter|year)", "this "),
        (r"\bfytd\b", "fy to date"),
        (r"\bytd\b", "year to date"),
        (r"\bmtd\b", "month to date"),
        (
            r"\b(?:the )?eofy\b",
            "the end of the financial year",
        ),
        (rf"\b(by|before|until|till?) {_CLOSE}(?: on)?\b", r"\1 the end of the day"),
        (r"\bweek ?nights?\b", "weekday evenings"),
        (r"\blunch ?(?:hour|break)s?\b", "lunchtime"),
        (rf"\b(?:of|in) an? ({_PART})\b", r"\1s"),
        (rf"\b(early|late|mid)(?: on)? ({_DAY}) ({_PART})\b", r"\2 \1 \3"),
        (rf"\b(early|late|mid)[ -](?:in the )?({_PART})", r"\1\2"),
        (r"\b(\d\d?)/52\b", r"\1 weeks"),
    )
)

_HOUR: Final = 'differs from one person to the next: give the hour, such as "after 4".'
END_OF_DAY: Final = 'The end of a day has no fixed hour: say "after 4", or "by Friday" for any time until then.'
_OFTEN: Final = "How often is no single time: give the time of the first, and how often where the tool takes repeats."
# what is refused, and what to say instead
_REFUSED: Final = tuple(
    (re.compile(rf"\b(?:{pattern})\b"), reason)
    for pattern, reason in (
        (
            r"(?:school|public|bank|stat(?:utory)?|national) hol(?:iday)?s?|long weekend|half[ -]?term|term ?time",
            'Holidays differ by place and year: give the dates, such as "21 December to 3 January".',
        ),
        (
            r"new year'?s?(?:'? (?:eve|day))?|nye|australia day|labou?r day|melbourne cup(?: day)?"
            r"|(?:king|queen)'?s birthday|good friday"
            r"|memorial day|independence day|mlk day|presidents'? day|columbus day|st patrick'?s day",
            'Holidays differ by place and year: give the date, such as "31 December" or "early January".',
        ),
        (
            r"(?:before|after|during|around) school|school (?:run|pick[ -]?up|drop[ -]?off|time|hours)",
            'When school begins and ends differs: give the hour, such as "after 3:30".',
        ),
        (
            rf"(?:before|after|around|at|over) (?:{_MEALS})|smoko|breakfast|brekkie|tea ?time|(?:morning|afternoon) tea"
            r"|dinner|supper|crack of dawn|dawn|dusk|sunrise|sunset|sparrows?'?s? fart|early doors|bright and early",
            f"When that is {_HOUR}",
        ),
        (
            r"(?:business|office|opening|working|trading|clinic|normal|after|out of|school) hours|day ?time"
            r"|during the day|over ?night",
            'Opening hours are not read as a time: give the hours, such as "9 to 5".',
        ),
        (
            rf"{_CLOSE}|last thing|late in the day",
            END_OF_DAY,
        ),
        (
            r"(?:once|twice|thrice|\w+ times) (?:a|an|per|each|every) (?:day|week|fortnight|month|year)|every other"
            r"|every second|alternate|alternating|\w+[ -]weekly|(?:bi-?)?weekly|fortnightly|(?:bi-?)?monthly"
            r"|quarterly|daily|every \w+ (?:days|weeks|months|fortnights)",
            _OFTEN,
        ),
        (
            r"this time (?:tomorrow|next|last|on)",
            'I cannot tell which time of day that is: give it, such as "next Tuesday at 3".',
        ),
        (r"w/e", '"w/e" can be the weekend or the week ending: say "the weekend" or "week ending 13 December".'),
        (
            r"(?:this|the) coming (?:week|month|year)|coming (?:weeks|months)",
            'That can begin today or next: say "this week", "next week" or "the next 7 days".',
        ),
        (
            r"this fortnight",
            'Which 14 days those are is not known: say "this week", "the next 2 weeks" or "this month".',
        ),
        (r"or so|give or take|or thereabouts", "That is too vague for a diary: name a day, a span or a time."),
        (
            r"(?:just|shortly) (?:before|after)",
            'How much is too vague: say "after 3", "before 3" or "at 3".',
        ),
        (r"(?:quarter|half) past$", 'Which hour: say "half past 3" or "quarter past 9".'),
        (
            rf"(?:early|late) (?:on )?(?!this){_DAY}(?! *[,-]? *(?:{_PART}))",
            'Early or late in a day is no fixed time: say "Friday before 10" or "late Friday afternoon".',
        ),
    )
)
# "in 3/12" is three months in a therapist's notes and 3 December in a diary
_NOTED: Final = re.compile(r"\b(?:in|for|after) (\d\d?)/(7|12)\b(?!/)")
_ISH: Final = re.compile(r"\b([a-z]{3,})ish\b")
_VAGUELY: Final = frozenset(("noon", "midday", "midnight", "lunch", "lunchtime", "morning", "afternoon", "weekend"))


def in_plain_words(text: str) -> str:
    """The phrase, in small letters, with its idioms in plain words. Raises NotUnderstood where none is fixed."""
    for idiom, words in _REWRITTEN:
        text = idiom.sub(words, text)
    for idiom, reason in _REFUSED:
        if (match := idiom.search(text)) is not None:
            raise not_understood(f'"{quotable(match[0])}": {reason}')
    if (noted := _NOTED.search(text)) is not None:
        unit = "days" if noted[2] == "7" else "months"
        raise not_understood(
            f'"{noted[0]}" can mean a date or {noted[1]} {unit}: '
            f'say "on {noted[1]}/{noted[2]}" or "in {noted[1]} {unit}".'
        )
    if (vague := _ISH.search(text)) is not None and vague[1] in _VAGUELY:
        raise not_understood(f'"{vague[0]}" is too vague for a diary: say between which hours.')
    return text
