"""The engine's ear: speech recognition in English and Hindi, and voice activity detection."""
