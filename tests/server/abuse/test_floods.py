"""Who says too much is read later; the rest waits in its own transport, and nobody else's."""

import json

import pytest
from msgspec.structs import replace

from pushtui.protocol.frames import Opcode
from pushtui.protocol.limits import Rate
from server.chat import Chat
from tests.server.abuse.bystander import Bystander
from tests.server.conftest import NO_FLOODS, Build, House, until
from tests.server.wire_client import WireClient, masked

HELLO = '{"type":"hello","nick":"mallory","session":"m","rooms":{"main":null}}'
BURST = 20
#: No further frame within the lifetime of a test.
HARDLY_ANY = replace(NO_FLOODS, frames=Rate(0.001, BURST))


async def intrude(house: House) -> tuple[WireClient, Chat]:
    """Somebody says hello."""
    before = set(house.service.connections._all)
    wire = await house.wire()
    await wire.upgrade()
    wire.say(HELLO)
    while json.loads((await wire.frame()).payload)["type"] != "resume":
        pass
    (chat,) = set(house.service.connections._all) - before
    assert isinstance(chat, Chat)
    return wire, chat


def read_later(chat: Chat) -> bool:
    return chat._pulse._unread


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "typing", "room": "main", "on": True},
        {"type": "away", "on": True},
        {"type": "join", "room": "other"},
        {"type": "leave", "room": "nowhere"},
        {"type": "history", "id": "1", "room": "main", "before": 1, "limit": 1},
        {"type": "no such type"},
    ],
    ids=lambda frame: frame["type"],
)
async def test_whatever_it_says_costs_the_same(build: Build, frame: dict[str, object]) -> None:
    """The hello, fourteen frames and five pings are all there is for now."""
    house = await build(protection=HARDLY_ANY)
    bystander = Bystander(await house.visit("bystander"))
    wire, chat = await intrude(house)
    for _ in range(14):
        wire.say(json.dumps(frame))
    for number in range(100):
        wire.send(masked(Opcode.PING, bytes((number,))))
    pongs = [(await wire.frame_of(Opcode.PONG)).payload for _ in range(BURST - 15)]
    assert pongs == [bytes((number,)) for number in range(BURST - 15)]
    await until(lambda: read_later(chat))
    await bystander.goes_on(5)


async def test_the_rest_waits_in_its_own_transport(build: Build) -> None:
    house = await build(protection=HARDLY_ANY)
    bystander = Bystander(await house.visit("bystander"))
    wire, chat = await intrude(house)
    wire.send(masked(Opcode.PING, bytes(125)) * 200_000)
    await until(lambda: read_later(chat))
    await bystander.goes_on(10)
    assert wire.writer.transport.get_write_buffer_size() > 10 << 20
    assert chat._ws._messages is not None
    assert chat._ws._messages._size < 1 << 20
    chat.sink.abort()  # it would be read first that it goes


async def test_who_is_read_later_can_still_be_told_to_go(build: Build) -> None:
    house = await build(protection=HARDLY_ANY)
    wire, chat = await intrude(house)
    wire.send(masked(Opcode.PONG, b"") * 100)
    await until(lambda: read_later(chat))
    await house.server.stop()
    assert json.loads((await wire.frame_of(Opcode.TEXT)).payload)["type"] == "bye"
    assert (await wire.frame()).close_code == 1012


async def test_without_a_limit_thousands_a_second_are_read(house: House) -> None:
    wire, chat = await intrude(house)
    wire.send(masked(Opcode.PONG, b"") * 5000 + masked(Opcode.PING, b"the end"))
    assert (await wire.frame_of(Opcode.PONG)).payload == b"the end"
    assert not read_later(chat)
