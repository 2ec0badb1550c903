"""The engine's voice: speech synthesis in English and Hindi."""
