"""The echo for test suites: there under ``serve --lab``, and nowhere else."""

from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.server.conftest import House
from tests.server.serving import Serving


async def test_it_says_back_what_it_hears(tmp_path: Path) -> None:
    async with (
        Serving.running(tmp_path, "--lab", "--memory") as serving,
        connect(f"ws://127.0.0.1:{serving.port}/lab/echo", proxy=None, max_size=None) as ws,
    ):
        assert ws.protocol.extensions == []
        for message in ("tschüß", b"\x00\xff", "", ["in ", "two"], bytes(5 << 20)):
            await ws.send(message)
            assert await ws.recv() == ("in two" if isinstance(message, list) else message)
        await (await ws.ping())


async def test_there_is_none_otherwise(house: House) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"ws://127.0.0.1:{house.port}/lab/echo", proxy=None)
    assert refused.value.response.status_code == 404
