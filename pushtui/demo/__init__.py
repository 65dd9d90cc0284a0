"""``pushtui demo``: a real server on a free port, people who play a recorded conversation, and the screen on it.

`show` is the process in front: it owns the terminal. `stage` is a second process behind it: it owns the server,
the folder of its data and the people. They are tied by one pipe: when its end in front closes, however that
process came to its end, the stage stops the server and removes the folder.
"""
