"""The client's half of the Realtime protocol, without I/O: it implements upstream/protocol.py."""
