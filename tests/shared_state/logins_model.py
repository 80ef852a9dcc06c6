"""What a store of logins ought to say after any steps, in the plainest way."""

from dataclasses import dataclass, field

from hypothesis import strategies as st

from cliniko_mcp.shared_state.logins import (
    GRACE_SECONDS,
    MAX_SIBLINGS,
    CodeRow,
    GrantRow,
    Logins,
    NewTokens,
    RequestRow,
)
from tests.shared_state.logins_at import row_of, sealed

ACCESS, IDLE, WHOLE, CODE = 100.0, 1_000.0, 3_000.0, 60.0
Step = tuple[str, int, float]


@dataclass
class Family:
    """A grant as it ought to be."""

    person: str
    ends: float
    alive: bool = True
    code_used: bool = False
    code_ends: float = 0.0


@dataclass
class Token:
    """A token as it ought to be."""

    family: Family
    refresh: bool
    ends: float
    used: float | None = None
    siblings: int = 0


@dataclass
class Model:
    """What the store ought to say, in the plainest way."""

    logins: Logins
    now: float = 1_000.0
    keys: dict[str, int] = field(default_factory=dict[str, int])
    good: set[str] = field(default_factory=set[str])
    families: list[tuple[str, Family]] = field(default_factory=list[tuple[str, Family]])
    tokens: list[tuple[str, Token]] = field(default_factory=list[tuple[str, Token]])
    made: int = 0
    series: str = ""
    """Before every name, so that several models share a store."""

    @property
    def people(self) -> tuple[str, str]:
        return f"{self.series}ana", f"{self.series}ben"

    async def begin(self) -> "Model":
        for person in self.people:
            await self.logins.put_person(row_of(person), sealed)
            self.keys[person] = 1
            self.good.add(person)
        return self

    def name(self) -> str:
        self.made += 1
        return f"{self.series}t{self.made}"

    def new(self) -> NewTokens:
        return NewTokens(self.name(), self.now + ACCESS, self.name(), self.now + IDLE, "cliniko:read")

    def keep(self, family: Family, new: NewTokens) -> None:
        self.tokens.append((new.access, Token(family, False, new.access_expires)))
        self.tokens.append((new.refresh, Token(family, True, new.refresh_expires)))

    def lives(self, family: Family) -> bool:
        return family.alive and self.now < family.ends and family.person in self.good

    async def issue(self, which: int) -> None:
        person, name = self.people[which % 2], self.name()
        request = RequestRow(f"r{name}", "{}", self.now + 600)
        await self.logins.put_request(request)
        grant = GrantRow(f"g{name}", person, "client", "Program", "cliniko:read", self.now, self.now + WHOLE)
        code = CodeRow(f"c{name}", grant.id, "{}", self.now + CODE)
        settled = RequestRow(request.id, "{}", request.expires, handed=b"x", handed_at=self.now)
        assert await self.logins.decide(settled, code, grant)
        assert not await self.logins.decide(settled, None, None), "a request is answered once"
        self.families.append((name, Family(person, self.now + WHOLE, code_ends=self.now + CODE)))

    async def exchange(self, which: int) -> None:
        if not self.families:
            return
        name, family = self.families[which % len(self.families)]
        new = self.new()
        found = await self.logins.take_code(f"c{name}", new, self.now)
        if family.code_used:
            assert found == "again"
            family.alive = False
            return
        family.code_used = True
        if self.now >= family.code_ends:
            assert found == "expired"
        elif not self.lives(family):
            assert found == "ended"
        else:
            assert isinstance(found, GrantRow)
            self.keep(family, new)

    async def refresh(self, which: int) -> None:
        kept = [(name, token) for name, token in self.tokens if token.refresh]
        if not kept:
            return
        name, token = kept[which % len(kept)]
        new = self.new()
        found = await self.logins.rotate(name, new, self.now)
        if not self.lives(token.family):
            assert found == "ended"
        elif self.now >= token.ends:
            assert found == "expired"
        elif token.used is None or (self.now - token.used <= GRACE_SECONDS and token.siblings < MAX_SIBLINGS):
            assert isinstance(found, GrantRow)
            token.siblings += token.used is not None
            token.used = self.now if token.used is None else token.used
            self.keep(token.family, new)
        else:
            assert found == "again"
            token.family.alive = False

    async def revoke(self, which: int) -> None:
        if self.families:
            name, family = self.families[which % len(self.families)]
            await self.logins.end(self.now, "gone", grant=f"g{name}")
            family.alive = False

    async def sign_out(self, which: int) -> None:
        person = self.people[which % 2]
        await self.logins.end(self.now, "all", person=person)
        for _, family in self.families:
            family.alive = family.alive and family.person != person

    async def refuse(self, which: int) -> None:
        """The key of the version before last is refused as often as the newest."""
        person = self.people[which % 2]
        version = self.keys[person] - (which // 2) % 2
        done = await self.logins.drop_key(person, version, self.now, "refused")
        assert done is (version == self.keys[person] and person in self.good)
        if done:
            self.good.discard(person)
            for _, family in self.families:
                family.alive = family.alive and family.person != person

    async def paste(self, which: int) -> None:
        person = self.people[which % 2]
        row = await self.logins.put_person(row_of(person), sealed)
        self.keys[person] += 1
        assert row.version == self.keys[person]
        self.good.add(person)

    async def check(self) -> None:
        for name, token in self.tokens:
            if not token.refresh:
                accepted = await self.logins.token(name, self.now) is not None
                assert accepted is (self.now < token.ends and self.lives(token.family)), name


WAITS = st.sampled_from((0.0, 1.0, 61.0, 119.0, 121.0, 999.0))
STEPS = ("issue", "exchange", "refresh", "revoke", "sign_out", "refuse", "paste")
