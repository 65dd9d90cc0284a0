"""What holds for every test."""

import os
import signal
import time

# Whoever starts the tests in the background may ignore SIGINT, and what is ignored stays so in every process that
# a test starts. With a handler here it is the system's default again there, as in a terminal.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Before anything imports Textual, which reads them once: pictures are the same everywhere, in UTC, in all colours,
# with nothing that moves by itself.
os.environ["TZ"] = "UTC"
os.environ["TEXTUAL_COLOR_SYSTEM"] = "truecolor"
os.environ["TEXTUAL_ANIMATIONS"] = "none"
for variable in ("NO_COLOR", "TEXTUAL_THEME"):
    os.environ.pop(variable, None)
time.tzset()
