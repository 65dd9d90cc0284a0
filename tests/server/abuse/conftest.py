import pytest

from tests.server.abuse.bystander import Bystander
from tests.server.conftest import House


@pytest.fixture
async def bystander(house: House) -> Bystander:
    return Bystander(await house.visit("bystander"))
