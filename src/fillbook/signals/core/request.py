"""From a request as it arrived to what was understood of it, before anything is asked of the database."""

from dataclasses import dataclass, replace

from fillbook.signals.core.alert import Alert
from fillbook.signals.core.errors import AlertRefused
from fillbook.signals.core.masking import mask, mask_document
from fillbook.signals.core.parsing import parse_alert
from fillbook.signals.core.reading import check_length, read_body, token_in, token_in_text


@dataclass(frozen=True, slots=True)
class RawAlert:
    """A request as it arrived. `body_length` counts what was sent, which may be more than was kept."""

    body: bytes
    body_length: int
    address: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Understood:
    """What was made of a body before anything was asked of the database."""

    key: str | None
    alert: Alert | None
    refusal: AlertRefused | None


def understand(request: RawAlert) -> Understood:
    """Read a body as far as it goes. The key is looked for in a broken body too: its owner should see the fault."""
    try:
        check_length(request.body_length)
        document = read_body(request.body)
    except AlertRefused as refusal:
        return Understood(request.key or token_in_text(request.body), None, refusal)
    key = request.key or token_in(document)
    try:
        return Understood(key, _without_keys(parse_alert(document), key), None)
    except AlertRefused as refusal:
        return Understood(key, None, refusal)


def _without_keys(alert: Alert, key: str | None) -> Alert:
    """The alert with every key in its notes hidden: they are kept and shown. The fingerprint is taken before."""
    return replace(
        alert,
        reason=None if alert.reason is None else mask(alert.reason, key),
        indicators=mask_document(dict(alert.indicators), key),
        meta=mask_document(dict(alert.meta), key),
    )
