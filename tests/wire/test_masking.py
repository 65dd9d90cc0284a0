import msgspec
import pytest

from pushtui.wire import heads, masking

SECRET = 16 * "5ec4e7"
TOKEN = f"ptk_0123456789ab_{SECRET}"


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("Authorization", f"Bearer {TOKEN}", "Bearer ptk_0123456789ab_…"),
        ("authorization", "Basic dXNlcjpwYXNz", "Basic …"),
        ("Authorization", "alone", "…"),
        ("Proxy-Authorization", "Digest username=a, response=b", "Digest …"),
        ("Cookie", "session=abc; other=def", "session=…"),
        ("Set-Cookie", "session=abc; Path=/", "session=…"),
        ("Cookie", "abc", "…"),
        ("X-Api-Key", "abc", "…"),
        ("X-Anything", f"a {TOKEN} b", "a ptk_0123456789ab_… b"),
        ("Location", "http://u:p@a/?access_token=abc&b=1", "http://…@a/?access_token=…&b=1"),
        ("Host", "a.example", "a.example"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=="),
    ],
)
def test_headers(name: str, value: str, shown: str) -> None:
    assert masking.headers([(name, value)]) == [(name, shown)]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/chat?token=abc", "/chat?token=…"),
        ("/x?a=1&API_KEY=abc&b=2#access_token=c", "/x?a=1&API_KEY=…&b=2#access_token=…"),
        (f"/x?y={TOKEN}", "/x?y=ptk_0123456789ab_…"),
        ("wss://u:p@a/x", "wss://…@a/x"),
        ("/plain?tokens=3", "/plain?tokens=3"),
    ],
)
def test_urls(text: str, shown: str) -> None:
    assert masking.url(text) == shown


@pytest.mark.parametrize("encode", [msgspec.json.encode, msgspec.msgpack.encode])
def test_payloads_keep_their_length_and_what_they_are(encode: type) -> None:
    data = encode({"type": "hello", "token": TOKEN, "nick": "ana"})
    shown = masking.payload(data)
    assert len(shown) == len(data)
    assert SECRET[:6].encode() not in shown
    decode = msgspec.json.decode if encode is msgspec.json.encode else msgspec.msgpack.decode
    assert decode(shown) == {"type": "hello", "token": f"ptk_0123456789ab_{'*' * len(SECRET)}", "nick": "ana"}
    assert masking.payload(b"ptk_ is how they begin") == b"ptk_ is how they begin"


def test_a_head_is_measured_before_it_is_masked_and_can_be_written_down() -> None:
    asked = heads.request(0, "GET", f"/?token={TOKEN}", [("A", f"Bearer {TOKEN}"), ("B", "\udcff\udcc3\udca9")])
    raw = f"GET /?token={TOKEN} HTTP/1.1\r\nA: Bearer {TOKEN}\r\nB: ".encode() + b"\xff\xc3\xa9\r\n\r\n"
    assert asked.wire_bytes == len(raw)
    assert SECRET not in repr(asked)
    assert asked.headers[1] == ("B", "\\xffé")
    answered = heads.response(0, 401, f"No {TOKEN}", [])
    assert SECRET not in repr(answered)
    assert answered.wire_bytes == len(f"HTTP/1.1 401 No {TOKEN}\r\n\r\n")
