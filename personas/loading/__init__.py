"""From the bytes of a file to a catalogue: shapes, features, faults with their places, and the watch for edits."""
