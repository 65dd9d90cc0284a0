"""WebSocket servers that have one fault each."""

import asyncio

from pushtui.doctor.probe import accept_of
from pushtui.protocol.frames import Opcode, frame
from tests.doctor.right_websocket import SUBPROTOCOL, ClosedError, Incoming, RightServer

#: Seconds, for servers that do something by themselves.
A_MOMENT = 0.4


class ConstantAccept(RightServer):
    def accept(self, key: str) -> str:
        return accept_of("dGhlIHNhbXBsZSBub25jZQ==")


class NoUpgradeField(RightServer):
    def welcome(self, fields: dict[str, str]) -> list[str]:
        return super().welcome(fields)[1:]


class Status200(RightServer):
    def refusal(self, fields: dict[str, str]) -> tuple[str, ...] | None:
        return ("200 OK",)


class AnyVersion(RightServer):
    def wrong_version(self, fields: dict[str, str]) -> tuple[str, ...] | None:
        return None


class WordlessAboutVersions(RightServer):
    def wrong_version(self, fields: dict[str, str]) -> tuple[str, ...] | None:
        return ("400 Bad Request",)


class NoVersionIsFine(RightServer):
    def wrong_version(self, fields: dict[str, str]) -> tuple[str, ...] | None:
        return super().wrong_version(fields) if "sec-websocket-version" in fields else None


class AnyKey(RightServer):
    def refusal(self, fields: dict[str, str]) -> tuple[str, ...] | None:
        return super().refusal({**fields, "sec-websocket-key": 24 * "x"})


class ShortKey(RightServer):
    def refusal(self, fields: dict[str, str]) -> tuple[str, ...] | None:
        return super().refusal({**fields, "sec-websocket-key": fields.get("sec-websocket-key", "") and 24 * "x"})


class AnyOrigin(RightServer):
    def refusal(self, fields: dict[str, str]) -> tuple[str, ...] | None:
        return super().refusal({name: value for name, value in fields.items() if name != "origin"})


class SubprotocolUnasked(RightServer):
    def subprotocol(self, offered: list[str]) -> str:
        return SUBPROTOCOL


class FirstSubprotocol(RightServer):
    def subprotocol(self, offered: list[str]) -> str:
        return offered[0]


class ExtensionUnasked(RightServer):
    def extension(self, offered: str) -> str:
        return "permessage-deflate"


class AnyExtension(RightServer):
    def extension(self, offered: str) -> str:
        return offered


class NoPong(RightServer):
    """Only those behind its own checks are answered, or nothing could be told of it at all."""

    def ping(self, payload: bytes) -> None:
        if payload:
            super().ping(payload)


class OtherPong(RightServer):
    def ping(self, payload: bytes) -> None:
        super().ping(payload[:100])


class NoMaskNeeded(RightServer):
    def check_mask(self, head: Incoming) -> None:
        pass


class NoMaskOtherCode(RightServer):
    def check_mask(self, head: Incoming) -> None:
        if not head.masked:
            raise ClosedError(1008)


class ReservedBits(RightServer):
    def check_reserved(self, head: Incoming) -> None:
        pass


class AnyOpcode(RightServer):
    def check_opcode(self, head: Incoming) -> None:
        pass


class LongPings(RightServer):
    def check_control(self, head: Incoming, size: int) -> None:
        if not head.fin:
            raise ClosedError(1002)


class PingsInFragments(RightServer):
    def check_control(self, head: Incoming, size: int) -> None:
        if size > 125:
            raise ClosedError(1002)


class NoOrder(RightServer):
    def check_order(self, head: Incoming) -> None:
        pass


class EachFragmentByItself(RightServer):
    def fragment(self, came: Incoming) -> None:
        super().fragment(came._replace(fin=True))
        self.opcode = 0 if came.fin else Opcode.TEXT

    def check_text(self, text: bytes) -> None:
        if text != b"\xce":
            super().check_text(text)


class LastFragmentOnly(RightServer):
    def whole(self) -> bytes:
        return self.pieces[-1]


class TextByFragment(RightServer):
    def fragment(self, came: Incoming) -> None:
        if came.opcode != Opcode.BINARY:
            self.check_text(came.payload)
        super().fragment(came)


class AnyText(RightServer):
    def check_text(self, text: bytes) -> None:
        pass


class SilentAboutTexts(RightServer):
    def check_text(self, text: bytes) -> None:
        try:
            super().check_text(text)
        except ClosedError:
            self.writer.close()


class NoCloseFrame(RightServer):
    def closing(self, payload: bytes) -> None:
        if payload[2:] != b"doctor":
            super().closing(payload)


class OtherCloseCode(RightServer):
    def closing(self, payload: bytes) -> None:
        try:
            super().closing(payload)
        except ClosedError as closed:
            raise ClosedError(1000 if closed.code > 1002 else closed.code) from None


class StaysOpen(RightServer):
    async def end(self) -> None:
        while await self.reader.read(1 << 16):
            pass


class AnyCloseCode(RightServer):
    def closing(self, payload: bytes) -> None:
        raise ClosedError(int.from_bytes(payload[:2]) if payload[:2] != b"\x03\xed" else 1000)

    def close(self, code: int) -> None:
        super().close(1000 if code in (3, 999) else code)


class EchoesCode1005(RightServer):
    def closing(self, payload: bytes) -> None:
        raise ClosedError(int.from_bytes(payload[:2]))


class ClosesWith1005(RightServer):
    """After a moment of silence."""

    async def frame(self) -> Incoming:
        try:
            async with asyncio.timeout(A_MOMENT):
                return await super().frame()
        except TimeoutError:
            raise ClosedError(1005) from None


class NoLimit(RightServer):
    message_bytes = 1 << 40


class OtherCodeForSize(RightServer):
    def check_size(self, size: int) -> None:
        if size > self.message_bytes:
            raise ClosedError(1002)


class MasksItsFrames(RightServer):
    def send(self, opcode: Opcode, payload: bytes) -> None:
        data = frame(opcode, payload)
        head = 2 if len(payload) < 126 else 4
        self.writer.write(bytes((data[0], data[1] | 0x80)) + data[2:head] + bytes(4) + data[head:])


class SetsReservedBits(RightServer):
    def send(self, opcode: Opcode, payload: bytes) -> None:
        data = frame(opcode, payload)
        self.writer.write(bytes((data[0] | 0x40,)) + data[1:])


class HangsUpAtOnce(RightServer):
    """Who says nothing for a moment is cut off without a word."""

    async def frame(self) -> Incoming:
        try:
            async with asyncio.timeout(A_MOMENT):
                return await super().frame()
        except TimeoutError:
            self.writer.close()
            raise ConnectionResetError from None
