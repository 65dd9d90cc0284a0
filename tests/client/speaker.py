"""A program that says numbers and can be killed: ``python -m tests.client.speaker ADDRESS FOLDER FIRST LAST``.

It prints ``saying N`` before and ``said N`` after it gave each number to the client, and ends when all are stored.
"""

import asyncio
import sys
from pathlib import Path

from pushtui.client.address import Address
from pushtui.client.backoff import Backoff
from pushtui.client.chat import ChatClient

#: How far what is said may be ahead of what is stored.
AHEAD = 20


async def main(address: str, folder: str, first: int, last: int) -> None:
    backoff = Backoff(initial=0.002, cap=0.01, floor=0.0)
    number = first
    async with ChatClient(Address.parse(address), nick="ana", outbox=Path(folder), backoff=backoff) as chat:
        async for _ in chat:
            while number <= last and chat.pending < AHEAD:
                tell(f"saying {number}")
                chat.say("main", str(number))
                tell(f"said {number}")
                number += 1
            if number > last and not chat.pending:
                return


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
