"""The log: durable events, and the cursors that read along."""
