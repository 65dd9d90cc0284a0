"""What the screen shows, as pure reducers of events."""
