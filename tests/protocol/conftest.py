import pytest

from pushtui.protocol.messages import SUBPROTOCOLS


@pytest.fixture(params=SUBPROTOCOLS)
def subprotocol(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name
