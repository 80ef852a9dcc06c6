"""What may still be sent with one key in this minute, counted for all replicas together.

A sorted set holds a member for each request: under way with the time until which it is believed to be, answered with
the time at which its token comes back, a minute later. Redis's own clock counts, so that those of the replicas do not
matter. A request that was under way when its replica ended is given up after 150 seconds.
A member begins with a digest of the person and of their call, so that shares are counted over all replicas.

A Redis that came up without what it knew gives nothing out until it has been up for a minute: by then whatever was sent
before is over.
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import Final

import anyio

from cliniko_mcp.limit_share import MAX_CALLS, NOBODYS, Share, Taken, half_of, third_of
from cliniko_mcp.shared_state.connection import PATIENCE, Script, SharedState, away, key

LEASE_SECONDS: Final = 150
"""How long a request may be under way before it is given up."""

_NOW: Final = "local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)\n"
_TAKE: Final = Script(
    _NOW
    + """
-- KEYS: requests, pause, born. ARGV: member, a minute's tokens, kept from sweeps, ahead, lease and period in ms,
-- a person's third, their calls, kept from those who had as much
local requests, pause, born = KEYS[1], KEYS[2], KEYS[3]
if redis.call('ZSCORE', requests, ARGV[1]) then return {'0', 0} end
if redis.call('EXISTS', born) == 0 then
  local up = tonumber(string.match(redis.call('INFO', 'server'), 'uptime_in_seconds:(%d+)')) * 1000
  if up < tonumber(ARGV[6]) then return {tostring(tonumber(ARGV[6]) - up), 0} end
  redis.call('SET', born, now)
end
redis.call('ZREMRANGEBYSCORE', requests, '-inf', now)
local ready, used, kept, over = now, redis.call('ZCARD', requests), tonumber(ARGV[3]), 0
local person, call, nobody = string.sub(ARGV[1], 1, 4), string.sub(ARGV[1], 5, 8), string.rep(string.char(0), 4)
if person ~= nobody and ARGV[4] + 1 + used > ARGV[2] - ARGV[9] then
  local all, had, calls, seen, others = redis.call('ZRANGE', requests, 0, -1, 'WITHSCORES'), 0, 0, {}, {}
  for at = 1, #all, 2 do
    local whose, its = string.sub(all[at], 1, 4), string.sub(all[at], 5, 8)
    if whose == person then
      had = had + 1
      if tonumber(all[at + 1]) > now + ARGV[6] and its ~= nobody and not seen[its] then  -- still under way
        seen[its] = true
        calls = calls + 1
      end
    elseif whose ~= nobody then
      others[whose] = (others[whose] or 0) + 1
    end
  end
  if had >= tonumber(ARGV[7]) or (calls >= tonumber(ARGV[8]) and not seen[call]) then over = 1 end
  if over == 1 then
    for _, theirs in pairs(others) do
      if theirs < tonumber(ARGV[7]) then kept = math.max(kept, tonumber(ARGV[9])) end
    end
  end
end
local short = ARGV[4] + 1 + used - (ARGV[2] - kept)
if short > 0 then
  local found = redis.call('ZRANGE', requests, short - 1, short - 1, 'WITHSCORES')
  ready = now + ARGV[6]
  if found[2] and tonumber(found[2]) < ready then ready = tonumber(found[2]) end
end
local closed = tonumber(redis.call('GET', pause) or '0')
if closed > ready then ready = closed end
if ready > now then return {tostring(ready - now), over} end
redis.call('ZADD', requests, now + ARGV[5], ARGV[1])
redis.call('PEXPIRE', requests, ARGV[5] * 2)
return {'0', over}
"""
)
_DONE: Final = Script(
    _NOW
    + """
-- KEYS: requests, pause. ARGV: member, period in ms, pause in ms, lease in ms
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[4] * 2)
local ends = now + ARGV[3]
if tonumber(ARGV[3]) > 0 and ends > tonumber(redis.call('GET', KEYS[2]) or '0') then
  redis.call('SET', KEYS[2], ends, 'PX', ARGV[3])
end
return '1'
"""
)
_BACK: Final = Script("return redis.call('ZREM', KEYS[1], ARGV[1])")
_CLOSED: Final = Script(_NOW + "return tostring(math.max(tonumber(redis.call('GET', KEYS[1]) or '0') - now, 0))")
_PERIOD_SECONDS: Final = 60
_LAST_WORD_SECONDS: Final = 1.0


class SharedTokens:
    """The tokens of one key, for all replicas."""

    def __init__(
        self,
        state: SharedState,
        account: str,
        per_minute: int,
        token: Callable[[], bytes],
        *,
        lease: float = LEASE_SECONDS,
    ) -> None:
        """`token` gives eight bytes that no other request of the key has; `lease` is in seconds."""
        self._state = state
        self._keys = [key(account, name) for name in ("requests", "pause", "born")]
        self._per_minute = per_minute
        self._token = token
        self._lease = int(lease * 1000)
        self._here = token()[:2]
        self._shares = third_of(per_minute), MAX_CALLS, half_of(per_minute)
        self._turn = anyio.Lock()

    async def take(self, *, sweep: bool, ahead: Callable[[], int], share: Share = NOBODYS) -> Taken:
        """See `client.tokens.Tokens.take`. Raises Unavailable where Redis is away."""
        token = self._whose(share) + self._token()
        reserve = self._per_minute // 10 if sweep else 0
        # One after the other, or those whose answer is on its way would count as taken and as ahead.
        try:
            with anyio.fail_after(PATIENCE):
                await self._turn.acquire()
        except TimeoutError:
            raise away() from None
        try:
            told = (token, self._per_minute, reserve, ahead(), self._lease, _PERIOD_SECONDS * 1000)
            wait, over = await self._state.run(_TAKE, self._keys, (*told, *self._shares))
        finally:
            self._turn.release()
        return Taken(float(wait) / 1000, token.hex(), over == b"1")

    def _whose(self, share: Share) -> bytes:
        """What tells the person and their call from all others in every replica: four bytes each, zeros for nobody."""
        person = blake2b(share.person.encode(), digest_size=4).digest() if share.person else bytes(4)
        call = self._here + (share.call & 0xFFFF).to_bytes(2) if share.call else bytes(4)
        return person + call

    async def answered(self, token: str, *, pause: float = 0.0) -> None:
        """See `client.tokens.Tokens.answered`. Where Redis is away the token comes back when it is given up."""
        told = (bytes.fromhex(token), _PERIOD_SECONDS * 1000, int(pause * 1000), self._lease)
        await self._last_word(_DONE, self._keys[:2], told)

    async def give_back(self, token: str) -> None:
        """See `client.tokens.Tokens.give_back`."""
        await self._last_word(_BACK, self._keys[:1], (bytes.fromhex(token),))

    async def closed(self) -> float:
        """See `client.tokens.Tokens.closed`. Raises Unavailable where Redis is away."""
        (left,) = await self._state.run(_CLOSED, self._keys[1:2])
        return float(left) / 1000

    async def _last_word(self, script: Script, keys: list[str], told: tuple[bytes | int, ...]) -> None:
        """Say how a request ended, also where its call was cut off; an answer that came is not lost over it."""
        with anyio.CancelScope(shield=True):
            await self._state.try_to(script, keys, told, patience=_LAST_WORD_SECONDS)
