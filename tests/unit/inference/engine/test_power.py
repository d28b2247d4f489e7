"""Where the power comes from, as the systems tell it."""

from types import SimpleNamespace

import psutil
import pytest

from agent.inference.engine.load_limiter import Power, read_power


def battery(monkeypatch: pytest.MonkeyPatch, answer: object) -> None:
    def ask() -> object:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(psutil, "sensors_battery", ask, raising=False)


def test_a_laptop_away_from_its_charger_is_on_battery(monkeypatch: pytest.MonkeyPatch) -> None:
    battery(monkeypatch, SimpleNamespace(percent=42, power_plugged=False))
    assert read_power() == Power(on_battery=True, percent=42.0)


@pytest.mark.parametrize("plugged", [True, None])
def test_at_its_charger_or_when_nobody_knows_it_is_not(monkeypatch: pytest.MonkeyPatch, plugged: bool | None) -> None:
    battery(monkeypatch, SimpleNamespace(percent=42, power_plugged=plugged))
    assert read_power() == Power(on_battery=False, percent=42.0)


@pytest.mark.parametrize("answer", [None, OSError("no such file"), psutil.Error()])
def test_without_a_battery_or_a_sensible_answer_it_is_mains(monkeypatch: pytest.MonkeyPatch, answer: object) -> None:
    battery(monkeypatch, answer)
    assert read_power() == Power()


def test_a_system_that_can_t_tell_at_all_counts_as_mains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(psutil, "sensors_battery", raising=False)
    assert read_power() == Power()
