"""Signatures over the text as it was sent: HMAC-SHA256 with the account's secret, in hex or base64."""

import hmac
from base64 import b64encode


def hex_signature(secret: str, text: str) -> str:
    return hmac.digest(secret.encode(), text.encode(), "sha256").hex()


def base64_signature(secret: str, text: str) -> str:
    return b64encode(hmac.digest(secret.encode(), text.encode(), "sha256")).decode()


def is_signature(expected: str, given: str) -> bool:
    """Whether they are the same, without telling by the time it takes."""
    return hmac.compare_digest(expected.encode(), given.encode())
