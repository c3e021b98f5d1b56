"""Errors of reading a venue."""

from typing import ClassVar

from fillbook.kernel.errors import FillbookError


class ReadFailed(FillbookError):
    """The venue could not be read: that says nothing about what it holds. `reason` is a stable word."""

    code = "venue_unreadable"
    status = 502
    reason: ClassVar[str] = "unreadable"


class CredentialsRefused(ReadFailed):
    """The venue refuses the key: wrong, revoked, expired, or not allowed from this address."""

    code = "credentials_refused"
    status = 422
    reason = "credentials"


class SettingRefused(FillbookError):
    """The venue does not take a leverage or mode, or shows another one after it was set."""

    code = "venue_setting_refused"
    status = 409
