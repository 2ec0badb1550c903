"""The error that keeps a server from starting."""


class CannotServe(Exception):
    """The server cannot start; the message says what to correct, `code` is the exit code."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code
