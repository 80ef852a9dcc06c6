"""What else replicas share in a real Redis: locks, what changed, zones, logins; and what is refused at the start."""

import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import anyio
import pytest

from cliniko_mcp.errors import ConfigurationError, Unavailable
from cliniko_mcp.guards.memory import Memory
from cliniko_mcp.guards.shared_parts import shared_parts
from cliniko_mcp.guards.turns import Turns
from cliniko_mcp.guards.zones import HOME, Zone
from cliniko_mcp.shared_state.connection import Script, SharedState, open_state
from cliniko_mcp.shared_state.elsewhere import SharedElsewhere
from cliniko_mcp.shared_state.keys import KeyRing, Unsealable
from cliniko_mcp.shared_state.locks import SharedLocks
from cliniko_mcp.shared_state.once import SharedOnce
from cliniko_mcp.shared_state.sessions import SharedSessions
from cliniko_mcp.shared_state.tokens import SharedTokens
from tests.shared_state.redis_server import RedisServer

CHANCE = random.Random(7)
RING = KeyRing([b"r" * 32], CHANCE.randbytes)


def told(story: Callable[[SharedState, SharedState], Awaitable[Any]], redis: RedisServer) -> Any:
    async def inner() -> Any:
        async with open_state(redis.url) as one, open_state(redis.url) as two:
            with anyio.fail_after(120):
                return await story(one, two)

    return anyio.run(inner)


def locks(state: SharedState, **options: Any) -> SharedLocks:
    return SharedLocks(state, "locked", Turns(), lambda: CHANCE.randbytes(8), **options)


def test_at_one_record_one_replica_acts_after_the_other_and_at_others_meanwhile(redis: RedisServer) -> None:
    seen: list[str] = []

    async def story(one: SharedState, two: SharedState) -> None:
        replicas = [locks(one), locks(two)]
        inside = 0

        async def act(number: int) -> None:
            nonlocal inside
            async with replicas[number % 2].at("patients/1") as held:
                inside += 1
                assert inside == 1
                await anyio.sleep(0.02)
                await held.renew()
                inside -= 1
                seen.append("one")

        async def another() -> None:
            async with replicas[0].at("patients/2"):
                seen.append("two")

        async with replicas[1].at("patients/1"), anyio.create_task_group() as tasks:
            for number in range(6):
                tasks.start_soon(act, number)
            tasks.start_soon(another)
            await anyio.sleep(0.3)
            assert seen == ["two"]
            tasks.cancel_scope.cancel()
        async with anyio.create_task_group() as tasks:
            for number in range(6):
                tasks.start_soon(act, number)

    told(story, redis)
    assert seen == ["two"] + ["one"] * 6


def test_whoever_lost_the_record_to_another_learns_it_before_acting_and_does_not_take_it_from_them(
    redis: RedisServer,
) -> None:
    async def story(one: SharedState, two: SharedState) -> None:
        slow, quick = locks(one, lease=0.2), locks(two)
        async with slow.at("patients/3") as lost:
            await anyio.sleep(0.3)
            async with quick.at("patients/3") as held:
                with pytest.raises(Unavailable, match="another replica may be at the same record"):
                    await lost.renew()
                await held.renew()
        async with locks(two).at("patients/3"):
            pass

    told(story, redis)


def test_no_lock_is_had_while_redis_is_away(redis: RedisServer) -> None:
    async def story(one: SharedState, _: SharedState) -> None:
        redis.stop()
        try:
            with pytest.raises(Unavailable, match="nothing was sent or changed"):
                async with locks(one).at("patients/4"):
                    raise AssertionError("nobody knows whether another replica is at it")
        finally:
            await anyio.to_thread.run_sync(redis.start)

    told(story, redis)


def test_what_one_replica_changed_the_others_are_told_by_kind_and_zones_are_known_to_all(redis: RedisServer) -> None:
    async def story(one: SharedState, two: SharedState) -> None:
        here, there, foreign = SharedElsewhere(one, "a"), SharedElsewhere(two, "a"), SharedElsewhere(two, "b")
        assert (await here.generations(), await here.get("zone:1")) == ({}, None)
        await here.changed(["records", "/practitioners"])
        await there.changed(["records"])
        assert await here.generations() == {"records": 2, "/practitioners": 1}
        await here.put("zone:1", b"Australia/Perth", 0.3)
        assert await there.get("zone:1") == b"Australia/Perth"
        assert (await foreign.get("zone:1"), await foreign.generations()) == (None, {})
        await anyio.sleep(0.4)
        assert await there.get("zone:1") is None
        redis.stop()
        try:
            await here.put("zone:1", b"Australia/Perth", 1)
            await here.changed(["records"])
            assert (await here.get("zone:1"), await here.generations()) == (None, {})
        finally:
            await anyio.to_thread.run_sync(redis.start)

    told(story, redis)


def test_in_keys_of_their_own_each_keeps_the_zone_of_their_own_user_and_the_sites_are_known_to_all(
    redis: RedisServer,
) -> None:
    async def story(one: SharedState, two: SharedState) -> None:
        async def perth(_: str) -> Zone:
            return Zone(ZoneInfo("Australia/Perth"))

        async def sydney(_: str) -> Zone:
            return Zone(ZoneInfo("Australia/Sydney"))

        tom, finn, toms_other = [
            Memory(anyio.current_time, lambda: datetime.now(UTC), parts.elsewhere)
            for parts in (
                shared_parts(state, RING, account, per_minute=200, clinic="of both")
                for state, account in ((one, "tom"), (two, "finn"), (two, "tom"))
            )
        ]
        assert (await tom.zone(HOME, perth, with_user=False)).zone.key == "Australia/Perth"
        assert (await finn.zone(HOME, sydney, with_user=False)).zone.key == "Australia/Sydney"
        assert (await toms_other.zone(HOME, sydney, with_user=False)).zone.key == "Australia/Perth"
        at_their_site = [await one.zone("1", read, with_user=False) for one, read in ((tom, perth), (finn, sydney))]
        assert at_their_site[0].zone.key == at_their_site[1].zone.key

    told(story, redis)


def test_of_all_replicas_one_is_the_first_to_use_what_is_good_once(redis: RedisServer) -> None:
    async def story(one: SharedState, two: SharedState) -> None:
        firsts: list[bool] = []

        async def use(state: SharedState) -> None:
            firsts.append(await SharedOnce(state).first("code", 60))

        async with anyio.create_task_group() as uses:
            for state in (one, two, one, two):
                uses.start_soon(use, state)
        assert sorted(firsts) == [False, False, False, True]
        assert await SharedOnce(two).first("another", 60)

    told(story, redis)


def test_a_redis_that_may_forget_is_refused_at_the_start(redis: RedisServer) -> None:
    async def start(url: str) -> None:
        async with open_state(url):
            raise AssertionError("it was relied upon")

    redis.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(ConfigurationError, match=r"maxmemory-policy allkeys-lru.*Set maxmemory-policy noe"):
            anyio.run(start, redis.url)
    finally:
        redis.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
    with pytest.raises(ConfigurationError, match="not one of Redis"):
        anyio.run(start, "http://127.0.0.1")


def test_whether_it_is_ready_is_known_at_once(redis: RedisServer) -> None:
    async def story(one: SharedState, _: SharedState) -> None:
        assert await one.ping()
        redis.freeze()
        try:
            began = anyio.current_time()
            assert not await one.ping()
            assert anyio.current_time() - began < 1.5
        finally:
            redis.thaw()
        with anyio.fail_after(10):
            while not await one.ping():  # noqa: ASYNC110 - another process comes back
                await anyio.sleep(0.05)

    told(story, redis)


def test_a_redis_that_takes_commands_and_answers_none_is_waited_for_no_longer_than_one_that_is_gone(
    redis: RedisServer,
) -> None:
    async def story(one: SharedState, _: SharedState) -> None:
        elsewhere = SharedElsewhere(one, "frozen")
        tokens = SharedTokens(one, "frozen", 200, lambda: CHANCE.randbytes(8))
        redis.freeze()
        try:
            began = anyio.current_time()
            assert await elsewhere.generations() == {}
            assert anyio.current_time() - began < 1.2
            with pytest.raises(Unavailable):
                await tokens.take(sweep=False, ahead=lambda: 0)
            assert 4 < anyio.current_time() - began < 5.8
        finally:
            redis.thaw()

    told(story, redis)


def test_a_script_that_redis_refuses_is_unavailable_and_not_tried_for_long(redis: RedisServer) -> None:
    async def story(one: SharedState, _: SharedState) -> None:
        began = anyio.current_time()
        with pytest.raises(Unavailable):
            await one.run(Script("return redis.call('NOSUCH')"), [])
        assert anyio.current_time() - began < 3

    told(story, redis)


def test_a_crowd_that_finds_redis_away_is_told_in_the_time_of_one(redis: RedisServer) -> None:
    refused: list[float] = []

    async def story(one: SharedState, two: SharedState) -> None:
        tokens = SharedTokens(one, "crowd", 200, lambda: CHANCE.randbytes(8))
        redis.stop()
        began = anyio.current_time()

        async def take() -> None:
            with pytest.raises(Unavailable):
                await tokens.take(sweep=False, ahead=lambda: 0)
            refused.append(anyio.current_time() - began)

        try:
            async with anyio.create_task_group() as calls:
                for _call in range(40):
                    calls.start_soon(take)
        finally:
            await anyio.to_thread.run_sync(redis.start)

    told(story, redis)
    assert len(refused) == 40 and max(refused) < 12


def test_a_key_ring_derives_by_purpose_and_account_and_opens_what_its_older_secrets_sealed() -> None:
    old, new = KeyRing([b"o" * 32], CHANCE.randbytes), KeyRing([b"n" * 32], CHANCE.randbytes)
    both = KeyRing([b"n" * 32, b"o" * 32], CHANCE.randbytes)
    assert [*both.derived("cursor", "a")] == [*new.derived("cursor", "a"), *old.derived("cursor", "a")]
    everything = [("cursor", "a"), ("cursor", "b"), ("state", "a"), ("cursor", "")]
    assert len({new.derived(*one)[0] for one in everything}) == 4
    assert all(len(new.derived(*one)[0]) == 32 for one in everything)
    for ring in (old, new):
        assert both.unseal(ring.seal(b"text", "p", "a", bound=b"x"), "p", "a", bound=b"x") == b"text"
    sealed = both.seal(b"text", "p", "a", bound=b"x")
    assert new.unseal(sealed, "p", "a", bound=b"x") == b"text"
    altered = [sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed[1:], b"", b"x" * 27]
    for ring, text, purpose, account, bound in (
        (old, sealed, "p", "a", b"x"),
        (new, sealed, "q", "a", b"x"),
        (new, sealed, "p", "b", b"x"),
        (new, sealed, "p", "a", b"y"),
        *((new, other, "p", "a", b"x") for other in altered),
    ):
        with pytest.raises(Unsealable):
            ring.unseal(text, purpose, account, bound=bound)


@pytest.mark.parametrize(
    ("secrets", "why"), [([], "empty"), ([b"short"], "shorter than 32"), ([b"x" * 32, b"x" * 32], "twice")]
)
def test_a_ring_that_cannot_serve_is_refused(secrets: list[bytes], why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        KeyRing(secrets, CHANCE.randbytes)


def test_a_login_at_the_pages_is_known_to_every_replica_until_it_is_ended_or_idle(redis: RedisServer) -> None:
    async def story(one: SharedState, two: SharedState) -> None:
        here, there = SharedSessions(one), SharedSessions(two)
        record = bytes(range(256))
        await here.put("a", record, 60)
        assert await there.get("a") == record
        assert 0 < int(redis.ask("PTTL", "cm:1:{pages}:a").removeprefix(":")) <= 60_000
        assert await there.get("a", 1_800) == record
        assert int(redis.ask("PTTL", "cm:1:{pages}:a").removeprefix(":")) > 60_000
        await there.drop("a")
        assert await here.get("a") == await here.get("a", 60) == b""
        await here.put("b", record, 0.05)
        while await there.get("b"):  # noqa: ASYNC110 - the clock is that of Redis
            await anyio.sleep(0.01)

    told(story, redis)
