"""Clients of our wire in other languages: `MODULE` is the JavaScript one, which the page loads too."""

from pathlib import Path

MODULE = Path(__file__).parent / "js" / "call.js"
