"""What a group of tasks failed with is told as the one thing it is."""

from agent.domain.errors import EngineCrashed, StoreBusy, reason_of


def test_the_reason_is_found_however_deep_it_lies() -> None:
    error = StoreBusy()
    assert reason_of(error) is error
    assert reason_of(BaseExceptionGroup("tasks", [ExceptionGroup("inner", [error]), EngineCrashed()])) is error
