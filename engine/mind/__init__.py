"""The engine's mind: what it answers, by phrases of its own or by a language model."""
