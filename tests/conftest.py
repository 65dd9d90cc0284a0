"""What holds for every test."""

import signal

# Whoever starts the tests in the background may ignore SIGINT, and what is ignored stays so in every process that
# a test starts. With a handler here it is the system's default again there, as in a terminal.
signal.signal(signal.SIGINT, signal.default_int_handler)
