"""The server's half of the Realtime protocol, without I/O: the local engine drives it."""
