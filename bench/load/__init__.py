"""The load: listeners and speakers on raw sockets, on other cores than the server's."""
