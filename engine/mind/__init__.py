"""The engine's mind: makes the replies, from its own phrases or by a language model."""
