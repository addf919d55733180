import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.engine.lifecycle import (
    Act,
    Booted,
    Exited,
    Paused,
    Policy,
    RemoveAsked,
    Resumed,
    Started,
    StartFailed,
    StopAsked,
    decide,
    next_delay,
)
from argosy.engine.model import RestartPolicy, State, Status
from argosy.runtime.model import ExitRecord

SECOND = 1_000_000_000


def policy(name: str = "no", retries: int = 0, *, remove: bool = False, delay: float = 0.0) -> Policy:
    return Policy(RestartPolicy(name, retries), remove, delay)


def running(**changes: object) -> State:
    state, _ = decide(State(), policy(), Started(10, 99, 5 * SECOND))
    return msgspec.structs.replace(state, **changes)


def ended(state: State, rule: Policy, code: int = 0, at: int = 6 * SECOND):
    return decide(state, rule, Exited(ExitRecord(exit_code=code, finished_at=at)))


def test_a_start_clears_what_the_last_run_left():
    state = State(status=Status.EXITED, exit_code=3, error="x", oom_killed=True, manually_stopped=True)
    state, commands = decide(state, policy(), Started(7, 8, 9))
    assert (state.status, state.pid, state.pid_start, state.started_at) == (Status.RUNNING, 7, 8, 9)
    assert (state.exit_code, state.error, state.oom_killed, state.manually_stopped) == (0, "", False, False)
    assert commands == ()


def test_an_exit_tells_before_it_releases():
    state, commands = ended(running(), policy(), code=4)
    assert (state.status, state.exit_code, state.pid) == (Status.EXITED, 4, 0)
    assert [command.act for command in commands] == [Act.TELL_EXIT, Act.RELEASE]


def test_rm_removes_after_the_release():
    _, commands = ended(running(), policy(remove=True))
    assert [command.act for command in commands] == [Act.TELL_EXIT, Act.RELEASE, Act.REMOVE]


@pytest.mark.parametrize(
    ("name", "retries", "code", "count", "stopped", "again"),
    [
        ("no", 0, 1, 0, False, False),
        ("always", 0, 0, 0, False, True),
        ("always", 0, 1, 5, True, False),
        ("unless-stopped", 0, 0, 0, False, True),
        ("unless-stopped", 0, 0, 0, True, False),
        ("on-failure", 0, 0, 0, False, False),
        ("on-failure", 0, 1, 99, False, True),
        ("on-failure", 3, 1, 2, False, True),
        ("on-failure", 3, 1, 3, False, False),
    ],
)
def test_the_policy_decides_about_a_restart(name, retries, code, count, stopped, again):
    state, commands = ended(running(restart_count=count, manually_stopped=stopped), policy(name, retries), code)
    assert (state.status is Status.RESTARTING) is again
    assert (Act.RESTART in [command.act for command in commands]) is again
    assert state.restart_count == count + again


def test_the_delay_doubles_up_to_a_minute_and_is_reset_by_a_long_run():
    delays, last = [], 0.0
    for _ in range(12):
        last = next_delay(last, ran_ns=SECOND)
        delays.append(last)
    assert delays[:4] == [0.1, 0.2, 0.4, 0.8]
    assert delays[-1] == 60
    assert next_delay(60, ran_ns=10 * SECOND) == 0.1


def test_stopping_a_restarting_container_ends_the_restarts():
    state, commands = decide(running(status=Status.RESTARTING), policy("always"), StopAsked())
    assert state.status is Status.EXITED
    assert state.manually_stopped
    assert commands[0].act is Act.TELL_EXIT


def test_a_removal_is_never_undone_by_the_policy():
    state, _ = decide(running(), policy("always"), RemoveAsked())
    state, commands = ended(state, policy("always", remove=True), code=137)
    assert state.status is Status.REMOVING
    assert [command.act for command in commands] == [Act.TELL_EXIT, Act.RELEASE]


def test_a_first_start_that_fails_leaves_a_created_container():
    state, commands = decide(State(), policy(), StartFailed(127, "no such file", 3))
    assert (state.status, state.exit_code, state.error, state.finished_at) == (Status.CREATED, 127, "no such file", 0)
    assert [command.act for command in commands] == [Act.RELEASE]


@pytest.mark.parametrize(
    ("name", "status", "stopped", "starts"),
    [
        ("always", Status.EXITED, True, True),
        ("always", Status.CREATED, False, False),
        ("unless-stopped", Status.EXITED, True, False),
        ("unless-stopped", Status.RUNNING, False, True),
        ("on-failure", Status.RUNNING, False, True),
        ("on-failure", Status.EXITED, False, False),
        ("no", Status.RUNNING, False, False),
    ],
)
def test_what_starts_after_a_boot(name, status, stopped, starts):
    before = State(status=status, started_at=0 if status is Status.CREATED else 5, manually_stopped=stopped)
    state, commands = decide(before, policy(name), Booted())
    assert (Act.START in [command.act for command in commands]) is starts
    assert state.status is (Status.CREATED if status is Status.CREATED else Status.EXITED)


def test_a_removal_that_was_begun_is_finished_after_a_boot():
    _, commands = decide(State(status=Status.REMOVING), policy(), Booted())
    assert [command.act for command in commands] == [Act.REMOVE]


EVENTS = st.one_of(
    st.builds(Started, st.integers(1, 99), st.integers(1, 99), st.integers(1, 10**12)),
    st.builds(Exited, st.builds(ExitRecord, exit_code=st.integers(0, 255), finished_at=st.integers(1, 10**12))),
    st.builds(StartFailed, st.just(127), st.text(), st.integers(1, 10**12)),
    st.just(StopAsked()),
    st.just(Paused()),
    st.just(Resumed()),
    st.just(RemoveAsked()),
    st.just(Booted()),
)


@given(st.lists(EVENTS, max_size=20), st.sampled_from(["no", "always", "unless-stopped", "on-failure"]), st.booleans())
def test_whatever_happens_the_state_stays_sound(events, name, remove):
    state, rule = State(), policy(name, remove=remove)
    for event in events:
        state, commands = decide(state, rule, event)
        acts = [command.act for command in commands]
        assert not (Act.RESTART in acts and Act.REMOVE in acts)
        if state.status in (Status.EXITED, Status.RESTARTING):
            assert state.pid == 0 or isinstance(event, StopAsked | Paused | Resumed)
        if Act.RESTART in acts:
            assert not state.manually_stopped
