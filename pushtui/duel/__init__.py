"""``pushtui duel``: the same messages over a WebSocket, an event stream and long polling, side by side.

A speaker says them in a room of the duel's own. Three readers hear them, each through a `relay` of its own that
counts every byte and cuts the link once on the way. `duel` is the order of events, `standing` what is known at any
moment and in the end. Nothing in here knows a screen.
"""
