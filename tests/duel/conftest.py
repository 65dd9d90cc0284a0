"""The fixtures of a real server."""

from tests.server.conftest import build, house  # noqa: F401
