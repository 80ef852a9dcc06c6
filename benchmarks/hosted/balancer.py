"""A plain balancer: leads each connection to the next replica that says it is ready, and looks at nothing in it.

    python -m benchmarks.hosted.balancer PORT REPLICA:ADMIN...

Every half second it asks each admin port for `/readyz`; a replica that is not ready gets no new connections, and those
that it has stay. One that takes no connection is passed over.
"""

import asyncio
import sys
from contextlib import suppress
from itertools import count
from typing import Final

LOOK_SECONDS: Final = 0.5
_PATIENCE: Final = 2.0


class Replica:
    """Where a replica is, and whether new connections may go there."""

    def __init__(self, where: str) -> None:
        port, admin = where.split(":")
        self.port, self.admin = int(port), int(admin)
        self.ready = True

    async def look(self) -> None:
        """Ask whether it is ready."""
        try:
            async with asyncio.timeout(_PATIENCE):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.admin)
                try:
                    writer.write(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                    self.ready = b" 200 " in await reader.readline()
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            self.ready = False


class Balancer:
    """Leads connections to replicas by turns."""

    def __init__(self, replicas: list[Replica]) -> None:
        self._replicas = replicas
        self._turns = count()

    async def watch(self) -> None:
        """Look at every replica for ever."""
        while True:
            await asyncio.gather(*(replica.look() for replica in self._replicas))
            await asyncio.sleep(LOOK_SECONDS)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Join a connection to one of a replica; where none is ready, to any that takes it."""
        ready = [replica for replica in self._replicas if replica.ready]
        first = next(self._turns) % max(len(ready), 1)
        others = [replica for replica in self._replicas if not replica.ready]
        order = [*ready[first:], *ready[:first], *others]
        for replica in order:
            with suppress(OSError):
                onward_reader, onward = await asyncio.open_connection("127.0.0.1", replica.port)
                await asyncio.gather(_pass(reader, onward), _pass(onward_reader, writer))
                return
        writer.close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(65_536):
            writer.write(chunk)
            await writer.drain()
    with suppress(OSError):
        writer.close()


async def serve(port: int, replicas: list[Replica]) -> None:
    """Lead connections on this port until the process ends."""
    balancer = Balancer(replicas)
    server = await asyncio.start_server(balancer.connected, "127.0.0.1", port)
    watching = asyncio.create_task(balancer.watch())
    print("ready", flush=True)
    try:
        await server.serve_forever()
    finally:
        watching.cancel()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), [Replica(where) for where in sys.argv[2:]]))
