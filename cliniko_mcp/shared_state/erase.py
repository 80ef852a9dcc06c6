"""What is dropped of an account that is no more, before it would go by itself."""

from typing import Final

from cliniko_mcp.shared_state.connection import Script, SharedState, key

_DROP: Final = Script("return redis.call('UNLINK', unpack(KEYS))")


async def erase_account(state: SharedState, account: str) -> None:
    """Drop the questions of this account, and what was changed in it. Raises Unavailable where Redis is away.

    The rest goes within three minutes, and holds nothing of a person.
    """
    await state.run(_DROP, [key(account, name) for name in ("questions", "gen", "born")])
