"""The engine's voice: words to speech, in English and Hindi."""
