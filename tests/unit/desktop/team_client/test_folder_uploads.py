"""The rate is that of the last seconds."""

from agent.desktop.team_client.folder_uploads import TransferRate


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_it_is_of_the_last_seconds_and_ends_with_them() -> None:
    clock = Clock()
    rate = TransferRate(clock)
    assert rate.per_second == 0
    rate.passed(1_000)
    clock.now += 10
    rate.passed(1_000)
    assert rate.per_second == 200
    clock.now += 15
    assert rate.per_second == 1_000 / 15
    clock.now += 10
    assert rate.per_second == 0


def test_the_first_block_is_no_speed_record() -> None:
    clock = Clock()
    rate = TransferRate(clock)
    rate.passed(256_000)
    clock.now += 0.001
    assert rate.per_second == 256_000
