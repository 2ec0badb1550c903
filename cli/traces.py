"""The settings of traces, and whoever takes them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated

import typer

from actors.setting import Setting
from cli.failure import CannotServe
from tracing.opening import NoTracing, check_collector, check_installed, opened
from tracing.port import Tracer


def collector(value: str) -> str:
    """The address of a collector, if there is one; raises BadParameter for what is none."""
    try:
        return check_collector(value) if value else ""
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """Whether calls are traced."""

    otel_endpoint: Annotated[
        str,
        Setting(
            help="Where traces of calls go: OTLP over HTTP.",
            doc="the base address of a collector of OpenTelemetry, to which a trace of each call goes by OTLP over "
            "HTTP (`/v1/traces`); needs the extra `otel`, see [Traces](#traces)",
            variable="OTEL_EXPORTER_OTLP_ENDPOINT",
            option={"callback": collector},
        ),
    ] = field(default="", repr=False)  # it may hold a password


@contextmanager
def tracing(settings: Traces) -> Iterator[Tracer | None]:
    """Whoever takes the traces; None without a collector. Raises CannotServe where the extra is missing."""
    if not settings.otel_endpoint:
        yield None
        return
    try:
        check_installed()
    except NoTracing as missing:
        raise CannotServe(f"{missing}", 2) from None
    with opened(settings.otel_endpoint) as tracer:
        yield tracer
