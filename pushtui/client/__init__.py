"""Talking to a server without a screen."""
