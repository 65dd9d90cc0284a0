"""What a WebSocket is asked: RFC 6455."""
