"""Names for the many patients of the demo clinic: plainly made up, and unlike those that a demonstration asks for."""

from collections.abc import Iterator
from typing import Final

_FIRST: Final = (
    "Adele", "Alba", "Anton", "Ari", "Astrid", "Basil", "Beatrix", "Bo", "Bryony", "Casper",
    "Celeste", "Cosmo", "Cyrus", "Dafydd", "Dagny", "Dorian", "Edda", "Eleni", "Elio", "Esme",
    "Fabian", "Faye", "Fergus", "Flora", "Gideon", "Gwen", "Hugo", "Ilse", "Imre", "Inés",
    "Ivo", "Jasper", "Jørgen", "Juno", "Kaspar", "Kerstin", "Lars", "Leif", "Linus", "Lotte",
    "Lucian", "Magnus", "Margot", "Matteo", "Maëlle", "Mina", "Nadia", "Nils", "Odette", "Orla",
    "Oscar", "Petra", "Piers", "Ravi", "Rhea", "Romy", "Rufus", "Saskia", "Silas", "Søren",
    "Tamsin", "Thea", "Ulla", "Viggo", "Vera", "Willa", "Yara", "Yvette", "Zeno", "Zofia",
)  # fmt: skip
_LAST: Final = (
    "Appleby-Test", "Barleymow", "Birchwater", "Bramblewick", "Candlewood", "Cloverdale", "Cobblestone", "Dandelion",
    "Dewberry", "Dunmarrow", "Elderflower", "Elmsworthy", "Featherstonehaugh", "Fernwhistle", "Foxglove", "Gingerfield",
    "Goosegreen", "Hazelthwaite", "Heatherly", "Honeycombe", "Inkpenny", "Ivybridge", "Juniperus", "Teakettle",
    "Larkspur", "Lavenderby", "Lillywhite", "Marigold", "Meadowsweet", "Millpond", "Mossgrove", "Nettlefold",
    "Nutbrown", "Oatfield", "Ó Nonesuch", "Peppercorn", "Periwinkle", "Placeholder", "Plumtree", "Quillfeather",
    "Rushbrooke", "Saffronhill", "Snowdrop", "Sorrelton", "Tanglewood", "Thistledown", "Underhill-Mock",
    "Van der Nergens", "Wetherby-Fake", "Willowherb", "Yarrowdale",
)  # fmt: skip


def invented(count: int) -> Iterator[tuple[str, str]]:
    """So many first and last names; no two people share both."""
    # 70 and 51 have no common divisor, so the two rows run through all pairs before one comes back.
    for number in range(count):
        yield _FIRST[number % len(_FIRST)], _LAST[number % len(_LAST)]
