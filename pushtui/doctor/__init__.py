"""Tries an endpoint, WebSocket or event stream, and says what is found. Knows no server and no screen."""
