"""One pure translator for each kind of client: frames to messages, and messages to frames."""
