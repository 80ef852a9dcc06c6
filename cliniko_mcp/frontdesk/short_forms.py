"""Common short forms of first names: which names may be one person's, such as Kate and Katherine."""

from collections.abc import Iterator
from typing import Final

_FAMILIES: Final = (
    "abigail abby abbie gail",
    "alexander alex alec sandy xander sasha",
    "alexandra alex alexa sandra sandy sasha lexi",
    "alfred alf alfie fred",
    "andrew andy drew",
    "angela angie",
    "anthony antony tony ant",
    "barbara barb barbie babs",
    "benjamin ben benny benji",
    "bernard bernie",
    "bradley brad",
    "cameron cam",
    "catherine katherine kathryn cathryn katharine kate katie kathy cathy cath kat kay kit",
    "charles charlie chuck chas",
    "charlotte charlie lottie",
    "christina christine kristina chris chrissy tina christie kirsty",
    "christopher chris kit topher",
    "cynthia cindy",
    "daniel dan danny",
    "danielle dani",
    "david dave davey davy",
    "deborah debra deb debbie",
    "donald don donny",
    "dorothy dot dottie dolly",
    "edward ed eddie ted teddy ned",
    "eleanor ellie nell nora",
    "elizabeth elisabeth liz lizzie beth betty bess eliza libby lisa betsy",
    "emily em emmy",
    "florence flo florrie",
    "francis frank fran",
    "frances fran frankie",
    "frederick fred freddie",
    "gabriel gabe",
    "geoffrey jeffrey geoff jeff",
    "georgina georgia georgie gina",
    "gerald gerry jerry",
    "gregory greg",
    "harold harry hal",
    "helen nell nellie",
    "henry harry hank hal",
    "isabella isabel bella izzy",
    "jacob jake",
    "jacqueline jackie jacqui",
    "james jim jimmy jamie",
    "janet jan",
    "jennifer jen jenny",
    "jessica jess jessie",
    "joanna joanne jo",
    "john jack johnny jon",
    "jonathan jon jonny",
    "joseph joe joey",
    "josephine jo josie",
    "joshua josh",
    "judith judy",
    "kenneth ken kenny",
    "lawrence laurence larry laurie",
    "leonard len lenny leo",
    "louis lou louie",
    "louise lou",
    "margaret maggie meg peggy marg margie greta",
    "matthew matt matty",
    "michael mike mick micky mickey",
    "michelle shell",
    "mitchell mitch",
    "nathaniel nathan nate nat",
    "natalie nat",
    "nicholas nick nicky",
    "nicole nicola nicky nikki",
    "oliver ollie",
    "olivia liv livvy",
    "pamela pam",
    "patricia pat patty trish tricia",
    "patrick pat paddy",
    "peter pete",
    "philip phillip phil",
    "rachel rach",
    "raymond ray",
    "rebecca bec becky becca",
    "richard rick ricky dick rich richie",
    "robert rob bob bobby robbie bert",
    "ronald ron ronnie",
    "samantha sam sammy",
    "samuel sam sammy",
    "sarah sara sally",
    "stephanie steph stevie",
    "stephen steven steve",
    "stuart stewart stu",
    "susan suzanne sue susie suzie",
    "terence terrence terry",
    "theodore theo ted teddy",
    "theresa teresa terry tess",
    "thomas tom tommy",
    "timothy tim timmy",
    "valerie val",
    "victoria vicky vicki tori",
    "vincent vince vinny",
    "virginia ginny",
    "william will bill billy willy liam",
    "zachary zach zac zack",
)
_FAMILIES_OF: Final[dict[str, frozenset[int]]] = {
    name: frozenset(place for place, family in enumerate(_FAMILIES) if name in family.split())
    for names in _FAMILIES
    for name in names.split()
}


def families_of(first: str) -> frozenset[int]:
    """The numbers of the families of names that a folded first name belongs to; none where it has no short form."""
    return _FAMILIES_OF.get(first, frozenset())


def form_keys(first: str) -> Iterator[object]:
    """Yield what two folded first names share where they may be one: the name itself, or a family of names."""
    if first:
        yield first
        yield from families_of(first)


def is_short_form(one: str, other: str) -> bool:
    """Whether two different folded first names may be forms of one."""
    return one != other and not families_of(one).isdisjoint(families_of(other))
