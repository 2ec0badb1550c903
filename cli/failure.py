"""What keeps a server from starting."""


class CannotServe(Exception):
    """What a person must mend before the server can start, and the exit code that scripts see."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code
