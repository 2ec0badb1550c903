"""The engine's ear: speech to words, in English and Hindi."""
