"""The room: one log, many cursors, and the conversations that lead to it."""
