"""What may differ between our books and a venue: the cases, and a finding of one.

The letters A to D and the numbered case are those of the published repair routine; the others are ours. A code is
what pages and scripts rely on: it never changes, and each has a sentence in `docs/concepts/reconciliation.md`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Case(StrEnum):
    ORDER_MISSING = "a_order_missing"
    FILLS_MISSING = "b_fills_missing"
    POSITION_UNRECORDED = "c_position_unrecorded"
    CLOSE_MISSING = "d_close_missing"
    LABEL_MISSING = "case_4_label_missing"
    EXTERNAL_ORDER = "external_order"
    STATUS_BEHIND = "status_behind"
    ORDER_NOT_FOUND = "order_not_found"
    ORDER_VANISHED = "order_vanished"
    ENDED_BUT_LIVES = "ended_but_lives"
    OVERFILLED = "overfilled"
    FILLED_DIFFERS = "filled_differs"
    POSITION_DIFFERS = "position_differs"
    BALANCE_BELOW = "balance_below_positions"
    CANCEL_UNFINISHED = "cancel_unfinished"
    LATE_FILL = "late_fill_to_close"
    BACKUP_RESTORED = "backup_restored"
    HISTORY_INCOMPLETE = "history_incomplete"


class RepairKind(StrEnum):
    """What was done about a finding."""

    TAKE_RECORD = "take_record"
    LOOK_UP = "look_up"
    READ_FILLS = "read_fills"
    INFER_FILL = "infer_fill"
    TAKE_BACK = "take_back"
    END_VANISHED = "end_vanished"
    QUEUE_CANCEL = "queue_cancel"
    RELABEL = "relabel"
    RESTART_CURSOR = "restart_cursor"


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference. `after` is what the repair makes of it; `repair` is None where only a person can say."""

    case: Case
    subject: str
    cause: str
    before: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)
    repair: RepairKind | None = None
    symbol: str | None = None
    order_id: int | None = None

    @property
    def key(self) -> "FindingKey":
        return (self.case, self.subject)


FindingKey = tuple[str, str]
