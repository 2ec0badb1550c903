"""The JSON Schemas of everything that crosses a shore, compiled once, and the refusal that a bad input earns."""


class Refused(Exception):
    """Theirs to mend, never a crash: the caller is told `code` and `message`, and the call goes on.

    `code` is one of the error codes of answer.schema.json; `message` is a sentence that says what to do next.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
