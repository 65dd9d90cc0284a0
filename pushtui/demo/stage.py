"""The process behind the demo: the server, the folder of its data, the people.

It prints the server's address on standard output once the told part of the conversation is stored, and ends when
its standard input does.
"""

import asyncio
import os
import re
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

START_SECONDS = 20.0
STOP_SECONDS = 5.0


class StageError(Exception):
    """The demo cannot be set up; the message is one sentence."""


async def run() -> None:
    """Set up, play, and clear away when standard input ends or SIGTERM comes."""
    leave = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, leave.set)
    tasks = [asyncio.create_task(work) for work in (_end_of_input(), leave.wait(), _play())]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _play() -> None:
    with tempfile.TemporaryDirectory(prefix="pushtui-demo-") as folder:
        async with _server(Path(folder)) as process:
            # while the server starts
            from pushtui.client.address import Address
            from pushtui.demo.conversation import recorded
            from pushtui.demo.people import People

            try:
                async with asyncio.timeout(START_SECONDS) as limit:
                    url = await _address(process)
                    async with People(Address.parse(url), recorded()) as people:
                        await people.tell()
                        limit.reschedule(None)
                        print(url, flush=True)  # noqa: T201
                        await people.go_on()
            except TimeoutError:
                raise StageError("the server did not answer in time") from None


@asynccontextmanager
async def _server(folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    configuration = folder / "config.toml"
    configuration.touch()  # an empty one, so that the user's own does not count
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pushtui", "serve", "--host", "127.0.0.1", "--port", "0"),
        *("--data", str(folder / "data"), "--interval", "1", "--log-level", "warning"),
        *("--config", str(configuration)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if not name.startswith("PUSHTUI_")},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.communicate(), STOP_SECONDS)
            except TimeoutError:
                process.kill()
                await process.communicate()


async def _address(process: asyncio.subprocess.Process) -> str:
    output = cast(asyncio.StreamReader, process.stdout)
    line = (await output.readline()).decode()
    if found := re.search(r"https?://\S+", line):
        return found[0]
    raise StageError(f"the server did not start (exit code {await process.wait()})")


async def _end_of_input() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    try:
        await reader.read()
    finally:
        transport.close()


def main() -> int:
    """Run the stage; returns its exit code."""
    try:
        asyncio.run(run())
    except StageError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
