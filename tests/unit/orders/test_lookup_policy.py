from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from fillbook.orders.core.lookup_policy import LookUps, Probe, Verdict, decide, start

SENT = datetime(2026, 1, 5, tzinfo=UTC)
WINDOW = timedelta(seconds=15)
PROVABLE = SENT + timedelta(seconds=75)


def _after(*probes: tuple[Probe, float]) -> tuple[list[Verdict], LookUps]:
    state, verdicts = start(SENT, WINDOW), []
    for probe, seconds in probes:
        looked_up = decide(state, probe, SENT + timedelta(seconds=seconds))
        state = looked_up.state
        verdicts.append(looked_up.verdict)
    return verdicts, state


def test_the_first_look_up_is_due_at_once() -> None:
    assert start(SENT, WINDOW).next_at == SENT


def test_found_is_adopted_at_any_time() -> None:
    assert _after((Probe.FOUND, 0))[0] == [Verdict.ADOPT]
    assert _after((Probe.NOT_FOUND, 1), (Probe.FAILED, 2), (Probe.FOUND, 200))[0][-1] is Verdict.ADOPT


def test_three_clean_misses_the_last_after_the_window_prove_that_it_was_never_placed() -> None:
    verdicts, state = _after((Probe.NOT_FOUND, 1), (Probe.NOT_FOUND, 30), (Probe.NOT_FOUND, 75))

    assert verdicts == [Verdict.KEEP_WAITING, Verdict.KEEP_WAITING, Verdict.NEVER_PLACED]
    assert state.never_placed_at == PROVABLE


def test_any_number_of_misses_before_the_window_has_passed_proves_nothing() -> None:
    verdicts, _ = _after(*((Probe.NOT_FOUND, float(second)) for second in range(75)))

    assert set(verdicts) == {Verdict.KEEP_WAITING}


def test_two_misses_after_the_window_prove_nothing() -> None:
    assert _after((Probe.NOT_FOUND, 500), (Probe.NOT_FOUND, 600))[0][-1] is Verdict.KEEP_WAITING


def test_a_failed_look_up_does_not_complete_a_proof() -> None:
    misses = [(Probe.NOT_FOUND, float(second)) for second in (1, 2, 3)]

    assert _after(*misses, (Probe.FAILED, 200))[0][-1] is Verdict.KEEP_WAITING
    assert _after(*misses, (Probe.FAILED, 200), (Probe.NOT_FOUND, 210))[0][-1] is Verdict.NEVER_PLACED


def test_a_failed_look_up_says_nothing() -> None:
    verdicts, state = _after(
        (Probe.FAILED, 80),
        (Probe.FAILED, 90),
        (Probe.NOT_FOUND, 100),
        (Probe.NOT_FOUND, 110),
        (Probe.FAILED, 120),
    )

    assert set(verdicts) == {Verdict.KEEP_WAITING}
    assert state.clean_misses == 2


def test_patience_grows_to_ten_seconds() -> None:
    state, waits = start(SENT, WINDOW), []
    for _ in range(20):
        state = decide(state, Probe.FAILED, SENT).state
        waits.append((state.next_at - SENT).total_seconds())

    assert waits[:6] == [1, 2, 4, 8, 10, 10]
    assert set(waits[6:]) == {10}


def test_a_watch_goes_on_for_an_hour_and_ends_with_a_clean_miss() -> None:
    _, state = _after((Probe.NOT_FOUND, 1), (Probe.NOT_FOUND, 2), (Probe.NOT_FOUND, 75))
    hour = PROVABLE + timedelta(hours=1)

    assert state.next_at == PROVABLE + timedelta(seconds=60)
    assert decide(state, Probe.NOT_FOUND, hour - timedelta(seconds=1)).verdict is Verdict.KEEP_WAITING
    assert decide(state, Probe.FAILED, hour).verdict is Verdict.KEEP_WAITING
    assert decide(state, Probe.NOT_FOUND, hour).verdict is Verdict.STOP_WATCHING


def test_an_order_found_under_watch_is_adopted() -> None:
    _, state = _after((Probe.NOT_FOUND, 1), (Probe.NOT_FOUND, 2), (Probe.NOT_FOUND, 75))

    assert decide(state, Probe.FOUND, PROVABLE + timedelta(minutes=30)).verdict is Verdict.ADOPT


@given(probes=st.lists(st.sampled_from([Probe.NOT_FOUND, Probe.FAILED]), min_size=1, max_size=200))
def test_following_the_policy_every_wait_is_ahead_and_bounded(probes: list[Probe]) -> None:
    state, now = start(SENT, WINDOW), SENT
    for probe in probes:
        looked_up = decide(state, probe, now)
        if looked_up.verdict is Verdict.STOP_WATCHING:
            return
        state = looked_up.state
        longest = timedelta(minutes=10) if state.is_watch else timedelta(seconds=10)
        assert timedelta(0) < state.next_at - now <= longest
        if looked_up.verdict is Verdict.NEVER_PLACED:
            assert now >= PROVABLE
            assert state.clean_misses >= 3
        now = state.next_at
