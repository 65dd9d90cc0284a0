"""What each command of ``pushtui`` does. `line` reads the command line; every other file is one command."""
