"""No job is tried without end, and only the file's own errors end it."""

from hypothesis import given
from hypothesis import strategies as st

from agent.domain.errors import (
    AgentError,
    EngineKilled,
    ImageChanged,
    ImageError,
    ImageOnlineOnly,
    ModelError,
    StoreError,
    from_code,
    leaves,
)
from agent.domain.jobs import MAX_ATTEMPTS, MAX_ATTEMPTS_KILLED, JobState, after_error

ERRORS = st.sampled_from([leaf() for leaf in leaves().values()])


@given(error=ERRORS)
def test_every_error_of_a_file_or_the_engine_ends_a_job_within_its_bound(error: AgentError) -> None:
    states = [after_error(attempts, error) for attempts in range(1, MAX_ATTEMPTS_KILLED + 1)]
    if isinstance(error, ModelError | StoreError):
        assert set(states) == {JobState.QUEUED}
        return
    ended = next(number for number, state in enumerate(states, 1) if state is not JobState.QUEUED)
    assert ended <= (MAX_ATTEMPTS_KILLED if isinstance(error, EngineKilled | ImageChanged) else MAX_ATTEMPTS)
    assert len(set(states[ended - 1 :])) == 1, "an ended job would begin again"
    assert (states[-1] is JobState.QUARANTINED) == error.code.startswith("engine.")


@given(error=ERRORS, attempts=st.integers(1, 1000))
def test_what_a_file_is_blamed_for_is_never_tried_again_by_itself(error: AgentError, attempts: int) -> None:
    if isinstance(error, ImageError) and not isinstance(error, ImageChanged | ImageOnlineOnly):
        assert after_error(attempts, error) is JobState.FAILED


@given(params=st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.integers() | st.text(max_size=9)), error=ERRORS)
def test_an_error_survives_being_told_and_rebuilt(params: dict[str, str | int | float], error: AgentError) -> None:
    again = from_code(error.code, params)
    assert type(again) is type(error) and again.params == params
    assert str(again).split(" ")[0] == error.code


@given(code=st.text(max_size=20).filter(lambda code: code not in leaves()))
def test_a_code_nobody_knows_is_unexpected(code: str) -> None:
    assert from_code(code, {}).code == "agent.unexpected"
