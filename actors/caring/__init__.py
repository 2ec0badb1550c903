"""Care for a call, beside what it does otherwise: its settings, and what all calls of a process know together."""
