"""The screen of ``pushtui duel``."""
