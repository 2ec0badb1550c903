"""The two validators of a schema, and what neither may do."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from personas.loading.faults import InvalidValue
from personas.loading.shape import Shape


def test_a_schema_fetches_nothing() -> None:
    """A $ref is never fetched, not even from this machine: a file must not make the server send requests."""
    asked: list[str] = []

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            with pytest.raises((InvalidValue, ValueError)):
                Shape({"$ref": f"http://127.0.0.1:{server.server_port}/schema.json"}).faults(1, ())
        finally:
            server.shutdown()
            serving.join()
    assert asked == []
