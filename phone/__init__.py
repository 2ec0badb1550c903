"""A Python client of our wire, for the command line, benchmarks, tests, and whoever builds on the server."""

from phone.phone import Answer, CallEnded, CallFailed, InvalidAddress, Message, NoServer, Phone

__all__ = ["Answer", "CallEnded", "CallFailed", "InvalidAddress", "Message", "NoServer", "Phone"]
