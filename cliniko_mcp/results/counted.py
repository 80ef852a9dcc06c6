"""How many of something there are, in words that agree with the number."""


def counted(number: int, one: str, several: str = "") -> str:
    """The number with its noun, such as `1 booking` or `1,204 bookings`.

    `several` is what more than one are called, where that is not `one` with an s.
    """
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"


def are(number: int) -> str:
    """`is` for one, `are` for any other number."""
    return "is" if number == 1 else "are"
