"""The lens: what passes over a link, to the byte, in place of what it means."""
