"""The one root of expected errors: each has a stable code, an HTTP status, and a sentence on what to do."""

from typing import ClassVar


class FillbookError(Exception):
    """An expected error. `detail` is written for the person who gets it and never holds a secret.

    `loc` is the path to the field at fault in what was sent, if one is.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400
    loc: tuple[str | int, ...] = ()

    def __init__(self, detail: str, loc: tuple[str | int, ...] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.loc = loc


class NotFound(FillbookError):
    code = "not_found"
    status = 404


class InvalidInput(FillbookError):
    """Input that cannot be used; `code` may be narrowed per raise."""

    code = "invalid"
    status = 422


class Conflict(FillbookError):
    code = "conflict"
    status = 409
