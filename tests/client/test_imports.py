import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("pushtui.client.address", ("websockets", "httpx", "httpx_sse", "asyncio")),
        ("pushtui.client.happenings", ("websockets", "httpx", "httpx_sse", "asyncio")),
        ("pushtui.client.chat", ("httpx", "httpx_sse", "textual", "aiohttp")),
        ("pushtui.client.inspection", ("websockets", "httpx", "httpx_sse", "textual")),
        ("pushtui.client.outbox_file", ("websockets", "httpx", "httpx_sse", "asyncio")),
        ("pushtui.client.polling", ("websockets", "httpx_sse", "textual", "aiohttp")),
        ("pushtui.client.status", ("websockets", "textual", "aiohttp")),
    ],
)
def test_a_client_loads_only_what_it_uses(module: str, heavy: tuple[str, ...]) -> None:
    code = f"import sys, {module}; print([name for name in {heavy!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
