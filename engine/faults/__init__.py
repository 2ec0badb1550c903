"""What the engine does wrong when it is told to."""
