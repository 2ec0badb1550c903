"""The GA Realtime protocol as one language with two halves, both without I/O."""
