"""How hard the engine may work."""

import pytest

from agent.inference.engine.load_limiter import FULL, Pace, Power, Throttle, decide
from agent.infrastructure.core.settings import OnBattery

MAINS = Power()
GENTLY = Pace(one_core=True, low_priority=True, why=Throttle.BATTERY)
LOW = Pace(paused=True, why=Throttle.BATTERY_LOW)
BUSY = Pace(low_priority=True, why=Throttle.BUSY)


def battery(percent: float | None) -> Power:
    return Power(on_battery=True, percent=percent)


@pytest.mark.parametrize("policy", list(OnBattery))
def test_with_mains_power_and_a_calm_machine_the_engine_works_as_it_can(policy: OnBattery) -> None:
    assert decide(FULL, Power(percent=5), 0.1, policy) == FULL


def test_on_battery_it_works_gently_and_pauses_when_it_runs_low() -> None:
    assert decide(FULL, battery(80), 0.0, OnBattery.GENTLE) == GENTLY
    assert decide(GENTLY, battery(20), 0.0, OnBattery.GENTLE) == GENTLY
    assert decide(GENTLY, battery(19), 0.0, OnBattery.GENTLE) == LOW
    assert decide(LOW, MAINS, 0.0, OnBattery.GENTLE) == FULL


def test_a_battery_near_the_bound_does_not_switch_back_and_forth() -> None:
    assert decide(LOW, battery(21), 0.0, OnBattery.GENTLE) == LOW
    assert decide(LOW, battery(25), 0.0, OnBattery.GENTLE) == GENTLY


def test_a_battery_that_does_not_tell_its_charge_is_used_gently() -> None:
    assert decide(FULL, battery(None), 0.0, OnBattery.GENTLE) == GENTLY


def test_the_user_may_want_it_paused_or_as_ever_on_battery() -> None:
    assert decide(FULL, battery(99), 0.0, OnBattery.PAUSE) == Pace(paused=True, why=Throttle.BATTERY)
    assert decide(FULL, battery(5), 0.0, OnBattery.NORMAL) == FULL


def test_other_programs_at_work_go_first_until_they_are_done() -> None:
    assert decide(FULL, MAINS, 0.7, OnBattery.GENTLE) == BUSY
    assert decide(FULL, MAINS, 0.5, OnBattery.GENTLE) == FULL
    assert decide(BUSY, MAINS, 0.5, OnBattery.GENTLE) == BUSY, "near the bound it does not switch back and forth"
    assert decide(BUSY, MAINS, 0.2, OnBattery.GENTLE) == FULL
    assert decide(FULL, battery(50), 0.9, OnBattery.NORMAL) == BUSY
