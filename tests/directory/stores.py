"""A directory by where it is, as tests open it."""

import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from cliniko_mcp.directory.clinics import ClinicEntry
from cliniko_mcp.directory.open_directory import OpenDirectory, open_directory
from cliniko_mcp.hosted_file import HostedFile
from cliniko_mcp.shared_state.keys import KeyRing

OLD, NEW = b"o" * 32, b"n" * 32
KEY = "MS0xLWFiY2RlZg-au1"


@asynccontextmanager
async def directory_at(where: str) -> AsyncGenerator[OpenDirectory]:
    """The directory of this file of clinics, or at this address of a database."""
    async with open_directory(HostedFile(clinics=where, keys=("env:RING",))) as directory:
        yield directory


def ring(*secrets: bytes) -> KeyRing:
    return KeyRing(secrets, random.Random(5).randbytes)


def entry(id: str, account: str, *people: str, **more: object) -> ClinicEntry:
    return ClinicEntry.model_validate({"id": id, "account": account * 32, "people": people, "key": "", **more})
