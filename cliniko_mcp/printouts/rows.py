"""Rows of an answer as lines of text: a table where it fits, else each row as lines of its own."""

from collections.abc import Callable, Iterator, Sequence

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.printouts.answer import Row, columns_of, inline_words, is_numeric, of_ids, value_words, words_of
from cliniko_mcp.printouts.lines import GAP, Bold, table, widths_of, wrapped


def row_lines(
    items: Sequence[Row],
    heading: str,
    shown: str,
    columns: int | None,
    bold: Bold,
    words: Callable[[JsonValue], str] = value_words,
) -> Iterator[str]:
    """The rows under a heading with how many are shown, their values as `words` puts them.

    Ids are left out where there is anything else: they are for programs.
    """
    known = columns_of(items)
    names = [name for name in known if not of_ids(name)] or known
    yield from wrapped(f"{bold(heading)}, {shown}", columns)
    cells = [tuple(words(row.get(name)) for name in names) for row in items]
    whole = [tuple(words_of(name) for name in names), *cells]
    if columns is None or sum(widths_of(whole)) + len(GAP) * (len(names) - 1) <= columns:
        right = [is_numeric([row.get(name) for row in items]) for name in names]
        yield from table(whole, columns, bold, right)
        return
    for row in items:
        yield from wrapped(_on_one_line(row, names, words), columns, hanging=True)


def _on_one_line(row: Row, names: Sequence[str], words: Callable[[JsonValue], str]) -> str:
    first, *others = [name for name in names if row.get(name) is not None] or [""]
    told = (f"{inline_words(name)}: {words(row[name])}" for name in others)
    return f"{words(row.get(first))}  {', '.join(told)}"
