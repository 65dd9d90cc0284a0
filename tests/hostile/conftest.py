"""The servers of `tests.server`, for what strangers send to them."""

from tests.server.conftest import build, house, subprotocol

__all__ = ["build", "house", "subprotocol"]
