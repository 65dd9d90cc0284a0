"""The screen in a real pseudo-terminal, against a server that sends anything at all."""

from pathlib import Path

import pytest

from tests.hostile.corpus import MARK, SEQUENCES, TEXTS
from tests.hostile.hostile_server import EPOCH, HostileServer, batches
from tests.hostile.pseudo_terminal import PseudoTerminal, painted_harm

AT_ONCE = 12


def sample(text: str) -> dict[str, object]:
    disk = {"mount": text, "total_bytes": 2**70, "used_bytes": -1, "percent": 1e308}
    process = {"pid": 1, "name": text, "cpu_percent": 1e308, "memory_bytes": 2**63}
    return {
        "host": text, "at": 2**62, "interval": 1,
        "cpu": {"percent": -1e308, "per_core": [1e9] * 300, "load": [1e99, 0, 0]},
        "memory": {"total_bytes": 1, "used_bytes": 2, "percent": 1e9}, "disks": [disk] * 4,
        "processes": {"count": 1, "top": [process] * 4}, "temperatures": [{"name": text, "celsius": 1e308}],
        "uptime_seconds": 1e308,
    }  # fmt: skip


def alert(text: str) -> dict[str, object]:
    return {
        "id": text, "host": text, "metric": text, "state": "firing", "value": 1e308, "threshold": -1e308,
        "since": 2**62, "by": text, "at": 2**62,
    }  # fmt: skip


def everywhere(peer: HostileServer, text: str, mark: str) -> None:
    """One text in every place that a server can put one; the mark is the last that it says in each pane."""
    seq = peer.event("message", {"text": text}, by=text[:200])
    peer.event("edit", {"target": seq, "text": text}, by=text[:200])
    peer.event("react", {"target": seq, "emoji": text[:100], "on": True}, by=text[:200])
    peer.event("message", {"text": f"/me {text[:300]}", "reply_to": seq}, by=text[:200])
    peer.event("topic", {"text": text[:5000]}, by=text[:200])
    peer.event("mark", {"text": text[:5000]}, by=text[:200])
    peer.event("notice", {"text": text[:2000], "level": "critical", "by": text[:200], "title": text[:200]})
    peer.event(text[:200], {text[:20]: text[:200]})
    peer.event("message", {"text": "of another room"}, room=text[:200])
    for state in ("here", "away"):
        peer.frame(type="presence", room="main", nick=text[:50], state=state, text=text[:5000])
    peer.frame(type="typing", room="main", nick=text[:200], on=True)
    peer.frame(type="error", code=text[:50], message=text[:5000], key=text[:50])
    peer.frame(type="done", key=text[:50], message=text[:500], room=text[:50])
    peer.frame(type="invited", room=text[:50], by=text[:50], direct=True, **{"with": text[:50]})
    peer.frame(type="left", room=text[:50], reason=text[:500])
    peer.frame(type=text[:50])
    peer.event("message", {"text": mark})
    peer.stream(
        "notice", {"text": text[:2000], "level": "warning", "by": text[:200], "title": text[:200], "at": 1}
    )
    peer.stream("mark", {"text": text[:2000], "room": text[:200], "by": text[:200], "at": 1})
    peer.stream("alert", alert(text[:500]))
    peer.stream("sample", sample(text[:500]))
    peer.stream("sample", sample("steady"))
    field = text[:500].replace("\r", "").replace("\n", "").encode()
    peer.raw(b"event: " + field + b"\nid: " + field + b"\ndata: x\n\n: " + field + b"\n" + field + b": x\n\n")
    peer.stream("notice", {"text": mark, "level": "info", "by": "eve", "at": 1}, identity=f"{EPOCH}.1")


@pytest.mark.parametrize(("columns", "lines"), [(130, 36), (80, 24)])
async def test_nothing_that_a_server_sends_is_obeyed_on_the_screen(
    tmp_path: Path, columns: int, lines: int
) -> None:
    async with HostileServer() as peer:
        peer.topic = TEXTS["window title"]
        peer.members = [(text[:50], text[:2000]) for text in TEXTS.values()]
        arguments = ("connect", peer.url, "--nick", "ana")
        async with PseudoTerminal(tmp_path, *arguments, columns=columns, lines=lines) as terminal:
            await peer.has(chats=1, streams=1)
            await terminal.shows("⇄", "say something")
            for number, batch in enumerate(batches(TEXTS.items(), AT_ONCE)):
                for _, text in batch:
                    everywhere(peer, text, MARK.format(number))
                await terminal.shows(MARK.format(number))
                if columns == 80:
                    terminal.type("\x1b[17~")  # F6: the other pane, which has news of its own
                    await terminal.shows("←")
                    await terminal.hides("say something")
                    terminal.type("\x1b[17~")
                    await terminal.shows("say something")
                await terminal.until(lambda: _frame_stands(terminal))
            for keys, shown in (("\x1bOP", "pushtui · help"), ("\x10", "leave pushtui")):
                terminal.type(keys)
                await terminal.shows(shown)
                terminal.type("\x1b")
                await terminal.hides(shown)
            terminal.type("\x1b[5~" * 5)
            await terminal.hides(MARK.format(number))
            peer.close(4503, "\x1b[2J\x9b2J\u202ebye".encode())
            await terminal.shows("\ufffd[2J")
            terminal.type("\x11")
            await terminal.ends()
            assert terminal.code == 5
        assert painted_harm(bytes(terminal.written)) == []
        # Of those that Textual sends too, none came from a text.
        assert [name for name, text in SEQUENCES.items() if text.encode() in terminal.written] == []
        assert b"Traceback" not in terminal.written


def _frame_stands(terminal: PseudoTerminal) -> bool:
    """Whether what surrounds the texts is where it was: nothing was wider or higher than it was counted."""
    *rows, keys = terminal.rows
    composer = [row for row in rows[-4:] if "say something" in row]
    splitter = terminal.column("┃")
    # Without a splitter there are tabs, and the panes have no more than themselves beside them.
    return (
        "⇄" in "".join(rows[:3]) and len(composer) == 1 and "F1" in keys and splitter in ([], [*range(len(rows))])
    )
