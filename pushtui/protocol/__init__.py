"""The wire contract: what travels between a server and its clients. Pure: no I/O, no clock, no randomness."""
