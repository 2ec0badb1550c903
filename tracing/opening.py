"""Whether calls are traced, and to where."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from tracing.otel import OtelTracer

PACKAGES = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")


class NoTracing(Exception):
    """Calls cannot be traced; the message says what to correct."""


def check_collector(address: str) -> str:
    """The address of a collector, as its base; raises ValueError."""
    try:
        parts = urlsplit(address)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return address
    except ValueError:
        pass
    raise ValueError("The address of a collector is one of OTLP over HTTP, such as http://127.0.0.1:4318")


def check_installed() -> None:
    """Raise NoTracing if a package of the extra `otel` is missing."""
    if missing := [package for package in PACKAGES if not _found(package)]:
        raise NoTracing(
            f"Traces need the extra `otel` ({', '.join(missing)} missing). "
            'Run: pip install "persona-voice-server[otel]" (in a clone: make setup)'
        )


def _found(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # of what it is a part of
        return False


@contextmanager
def opened(address: str) -> "Iterator[OtelTracer]":
    """The tracer that sends to this collector; its library is imported here, and nowhere without an address."""
    check_installed()
    from tracing.otel import OtelTracer

    tracer = OtelTracer(address)
    try:
        yield tracer
    finally:
        tracer.close()
