"""The connection to Redis or Valkey, and what a replica does while it is away: wait a little, then say so.

Every key is `cm:1:{account}:...`: the account stands in braces, so that a cluster keeps all of one account together.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final, Protocol, TypeGuard

import anyio
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    BusyLoadingError,
    ConnectionError,
    MasterDownError,
    NoScriptError,
    ReadOnlyError,
    RedisError,
    TimeoutError,
)

from cliniko_mcp.errors import ConfigurationError, Unavailable

PATIENCE: Final = 5.0
"""Seconds for which a call waits for Redis to come back."""
_PAUSE: Final = 0.1
_ANSWER_SECONDS: Final = 1.5
_LEAST_SECONDS: Final = 0.5
"""What an attempt is given, however little of the patience is left."""
_CONNECTIONS: Final = 32
_MIN_VERSION: Final = (6, 2)
_AWAY: Final = (BusyLoadingError, ConnectionError, MasterDownError, ReadOnlyError, TimeoutError)
"""It is not there, is starting, or is about to be another one: soon it may be there again."""
_LOG = logging.getLogger(__name__)

Value = str | bytes | int | float


class Script:
    """A script that Redis runs whole, nothing in between."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class Commands(Protocol):
    """What sends a command to Redis, as far as it is used here."""

    def execute_command(self, *parts: Value) -> Awaitable[object]:
        """The answer: bytes, a number, a list of those, or None."""
        ...


class SharedState:
    """A connection to Redis or Valkey. `open_state` makes it."""

    def __init__(self, redis: Commands) -> None:
        self._redis = redis
        self._away_since: float | None = None
        self._failed_at: float | None = None
        self.timed: Callable[[float], None] | None = None
        """Told after how many seconds Redis answered each time, or was found to be away."""

    async def run(
        self, script: Script, keys: Sequence[str], arguments: Sequence[Value] = (), *, patience: float = PATIENCE
    ) -> list[bytes]:
        """What the script gives, once. Where an answer is lost the script is run again, so it has to know its own work.

        Raises Unavailable where Redis has been away for `patience` seconds.
        """
        now = anyio.current_time()
        if self._failed_at is not None and now - self._failed_at > PATIENCE:
            self._away_since = None  # nobody has looked for a while
        # Who comes while it is away already waits for the rest of that time alone.
        give_up_at = (now if self._away_since is None else self._away_since) + patience
        while True:
            began = anyio.current_time()
            try:
                found = await self._attempt(script, keys, arguments, give_up_at)
            except _AWAY as problem:
                self._note(problem, began)
                if anyio.current_time() + _PAUSE >= give_up_at:
                    raise away() from None
                await anyio.sleep(_PAUSE)
            except RedisError as problem:
                _LOG.error("the shared state cannot be used: %s", problem)
                raise away() from None
            else:
                self._away_since = None
                return found

    async def try_to(
        self, script: Script, keys: Sequence[str], arguments: Sequence[Value] = (), *, patience: float
    ) -> list[bytes]:
        """What the script gives, or nothing where Redis is away for longer: for what can do without."""
        try:
            return await self.run(script, keys, arguments, patience=patience)
        except Unavailable:
            return []

    async def _attempt(
        self, script: Script, keys: Sequence[str], arguments: Sequence[Value], give_up_at: float
    ) -> list[bytes]:
        """One attempt, ended with the patience of whoever waits: a Redis that is stuck takes commands and is silent."""
        with anyio.move_on_after(max(give_up_at - anyio.current_time(), _LEAST_SECONDS)):
            return await self._evaluated(script, keys, arguments)
        raise TimeoutError("no answer")

    async def _evaluated(self, script: Script, keys: Sequence[str], arguments: Sequence[Value]) -> list[bytes]:
        parts: list[Value] = [len(keys), *keys, *arguments]
        begun = anyio.current_time()
        try:
            found = await self._redis.execute_command("EVALSHA", script.digest, *parts)
        except NoScriptError:
            found = await self._redis.execute_command("EVAL", script.text, *parts)
        finally:
            if self.timed is not None:
                self.timed(anyio.current_time() - begun)
        return [_bytes(one) for one in found] if _is_list(found) else [_bytes(found)]

    def _note(self, problem: RedisError, began: float) -> None:
        self._failed_at = anyio.current_time()
        if self._away_since is None:
            _LOG.warning("the shared state is away: %s", type(problem).__name__)
            self._away_since = began

    async def ping(self, seconds: float = 0.2) -> bool:
        """Whether Redis answers within so many seconds."""
        try:
            with anyio.fail_after(seconds):
                return bool(await self._redis.execute_command("PING"))
        except (RedisError, TimeoutError, OSError):
            return False

    async def facts(self) -> Mapping[str, str]:
        """What Redis says of itself: `redis_version`, `maxmemory_policy` and more. Raises Unavailable, see `run`."""
        found = (await self.run(_INFO, ()))[0].decode("utf-8", "replace")
        pairs = (line.partition(":") for line in found.splitlines() if ":" in line)
        return {name: value for name, _, value in pairs}

    async def check(self) -> None:
        """Raise ConfigurationError where this Redis may forget what it was given, or is too old."""
        facts = await self.facts()
        policy, version = facts.get("maxmemory_policy", ""), facts.get("redis_version", "0")
        if tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) < _MIN_VERSION:
            raise ConfigurationError(f"the shared state is Redis {version}; it has to be 6.2 or newer, or Valkey")
        if policy != "noeviction":
            raise ConfigurationError(
                f"the shared state may drop what it was given (maxmemory-policy {policy or 'unknown'}): a no or a "
                "request that was sent would be forgotten. Set maxmemory-policy noeviction"
            )


_INFO: Final = Script("return redis.call('INFO')")


def away() -> Unavailable:
    """Redis is away, so that nothing is sent: nobody knows what others have sent or approved."""
    return Unavailable(
        "This server cannot reach what it shares with its other replicas, so nothing was sent or changed.",
        "Try again in half a minute; if it goes on, tell the person who looks after this server.",
        retry_after=30,
    )


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


def _bytes(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    return b"" if value is None else str(value).encode()


@asynccontextmanager
async def open_state(url: str) -> AsyncGenerator[SharedState]:
    """The connection for the length of a run. `url` is `redis://`, `rediss://` or `unix://`, with what logs in.

    Raises ConfigurationError for an address that is none, and for a Redis that cannot be relied upon; Unavailable where
    none answers.
    """
    try:
        # Who finds all connections in use waits for one.
        pool = BlockingConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType] - of the other options
            url,
            max_connections=_CONNECTIONS,
            timeout=PATIENCE,
            socket_timeout=_ANSWER_SECONDS,
            socket_connect_timeout=_ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError:
        raise ConfigurationError("the address of the shared state is not one of Redis: redis://host:6379/0") from None
    try:
        state = SharedState(Redis(connection_pool=pool))
        await state.check()
        yield state
    finally:
        with anyio.CancelScope(shield=True):
            await pool.disconnect()


def key(account: str, *parts: str) -> str:
    """The name of a key of this account."""
    return ":".join((f"cm:1:{{{account}}}", *parts))
