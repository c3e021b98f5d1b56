"""`ETag` and `If-Match`: an object's integer version, so that nobody overwrites what they have not seen."""

from typing import Annotated

from fastapi import Header, Response

from fillbook.kernel.errors import FillbookError


class PreconditionRequired(FillbookError):
    code = "precondition_required"
    status = 428


class ChangedMeanwhile(FillbookError):
    code = "precondition_failed"
    status = 412


def tag(response: Response, version: int) -> None:
    response.headers["ETag"] = f'"{version}"'


async def expected_version(
    if_match: Annotated[str | None, Header(description="The object's ETag, as it was read.")] = None,
) -> int:
    """A dependency for `Depends`: the version that the sender has seen. Raises 428 without one."""
    if if_match is None:
        raise PreconditionRequired("Send `If-Match` with the ETag of the object that you have read.")
    text = if_match.strip().removeprefix("W/").strip('"')
    if not text.isdecimal():
        raise ChangedMeanwhile("This is not an ETag of this object: read it again.")
    return int(text)
