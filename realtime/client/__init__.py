"""The client's half of the Realtime protocol, without I/O: what a bridge says, and what it is told."""
