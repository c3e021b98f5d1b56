"""`ETag` and `If-Match`: an object's integer version, so that nobody overwrites what they have not seen."""

from typing import Annotated

from fastapi import Depends, Header, Response

from fillbook.kernel.errors import FillbookError
from fillbook.storage.versions import ChangedMeanwhile


class PreconditionRequired(FillbookError):
    code = "precondition_required"
    status = 428


def tag(response: Response, version: int) -> None:
    response.headers["ETag"] = f'"{version}"'


async def _expected_version(
    if_match: Annotated[str | None, Header(description="The object's ETag, as it was read.")] = None,
) -> int | None:
    """The version that the sender has seen; None when any will do (`*`)."""
    if if_match is None:
        raise PreconditionRequired("Send `If-Match` with the ETag of the object that you have read.")
    if if_match.strip() == "*":
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not text.isdecimal():
        raise ChangedMeanwhile("This is not an ETag of this object: read it again.")
    return int(text)


ExpectedVersion = Annotated[int | None, Depends(_expected_version)]
