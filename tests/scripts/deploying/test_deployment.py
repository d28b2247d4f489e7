"""The order of a deployment, and what happens when a step fails or the power does."""

import json
from pathlib import Path
from typing import Any

import pytest

from scripts.deploying.backend import Check
from scripts.deploying.deployment import CONTRACT, DEPLOY, ROLLBACK, Deployment
from scripts.deploying.failures import Failed
from scripts.deploying.files import alone, is_held
from scripts.deploying.record import Book


class PowerLost(BaseException):
    """Nothing after it runs, not even what undoes."""


class Place:
    """A made-up backend that remembers what was done."""

    def __init__(self) -> None:
        self.serving: str | None = "1"
        self.before: str | None = "0"
        self.target = "2"
        self.fails: dict[tuple[str, str | None], BaseException] = {}
        self.steps: list[tuple[str, str | None]] = []
        self.fault = ""
        self.waiting = 0

    def current(self) -> str | None:
        return self.serving

    def former(self) -> str | None:
        return self.before

    def version(self) -> str:
        return self.target

    def preflight(self) -> list[Check]:
        return [Check("disk", "room", self.fault)]

    def build(self, version: str) -> str:
        return self._do("build", version)

    def check(self, version: str) -> str:
        return self._do("check", version)

    def fits(self, version: str) -> str:
        return self._do("fits", version)

    def backup(self, version: str) -> str:
        return self._do("backup", version)

    def migrate(self, version: str) -> str:
        return self._do("migrate", version)

    def switch(self, version: str | None) -> str:
        self.serving = version
        return self._do("switch", version)

    def gate(self, version: str) -> str:
        return self._do("gate", version)

    def retire(self, version: str, former: str | None) -> str:
        self.before = former
        return self._do("retire", version)

    def left(self, version: str) -> int:
        return self.waiting

    def contract(self, version: str) -> str:
        self.waiting = 0
        return self._do("contract", version)

    def _do(self, step: str, version: str | None) -> str:
        self.steps.append((step, version))
        if (failure := self.fails.pop((step, version), None)) is not None:
            raise failure
        return "done"


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def deployment(place: Place, tmp_path: Path, said: list[str]) -> Deployment:
    return Deployment(place, Book(tmp_path), "prod", "host", said.append)


def record(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "record.jsonl").read_text().splitlines()]


def test_the_steps_come_in_order_and_are_on_record(deployment: Deployment, place: Place, tmp_path: Path) -> None:
    deployment.deploy()
    assert place.steps == [(step, "2") for step in DEPLOY if step != "preflight"]
    assert (place.serving, place.before) == ("2", "1")
    lines = record(tmp_path)
    assert [line["step"] for line in lines if line["event"] == "done"] == list(DEPLOY)
    assert {(line["from"], line["to"], line["environment"]) for line in lines} == {("1", "2", "prod")}
    assert lines[-1]["result"] == "ok" and not (tmp_path / "state.json").exists()


def test_what_serves_already_is_only_looked_at(deployment: Deployment, place: Place, tmp_path: Path) -> None:
    place.target = "1"
    deployment.deploy()
    assert place.steps == [("gate", "1")] and not (tmp_path / "record.jsonl").exists()


@pytest.mark.parametrize("step", ["build", "check", "backup", "migrate"])
def test_what_fails_before_the_switch_leaves_the_former_version_alone(
    deployment: Deployment, place: Place, step: str, said: list[str], tmp_path: Path
) -> None:
    place.fails[step, "2"] = Failed("no")
    with pytest.raises(Failed, match="no"):
        deployment.deploy()
    assert place.serving == "1" and "switch" not in dict(place.steps)
    assert said[-1] == "2 was not switched on; 1 serves"
    assert record(tmp_path)[-1]["result"] == "failed" and not (tmp_path / "state.json").exists()


@pytest.mark.parametrize("step", ["switch", "gate"])
def test_what_fails_after_the_switch_is_taken_back(deployment: Deployment, place: Place, step: str, tmp_path: Path) -> None:
    place.fails[step, "2"] = Failed("not ready")
    with pytest.raises(Failed, match="not ready"):
        deployment.deploy()
    assert place.steps[-2:] == [("switch", "1"), ("gate", "1")]
    assert (place.serving, place.before) == ("1", "0"), "a rollback still leads to the version before"
    assert record(tmp_path)[-1]["result"] == "rolled back"


def test_a_first_version_that_fails_is_stopped(deployment: Deployment, place: Place) -> None:
    place.serving = None
    place.fails["gate", "2"] = Failed("not ready")
    with pytest.raises(Failed):
        deployment.deploy()
    assert place.steps[-1] == ("switch", None)


def test_a_fault_stops_it_before_anything_is_done(deployment: Deployment, place: Place) -> None:
    place.fault = "full"
    with pytest.raises(Failed, match="disk: full"):
        deployment.deploy()
    assert place.steps == []


@pytest.mark.parametrize("step", [step for step in DEPLOY if step != "preflight"])
def test_after_the_power_was_lost_the_same_command_continues(deployment: Deployment, place: Place, step: str, tmp_path: Path) -> None:
    place.fails[step, "2"] = PowerLost()
    with pytest.raises(PowerLost):
        deployment.deploy()
    begun = [each for each, _ in place.steps]
    deployment.deploy()
    assert [each for each, _ in place.steps] == [*begun, *[each for each in DEPLOY if each != "preflight" and (each not in begun[:-1])]]
    assert (place.serving, place.before) == ("2", "1") and record(tmp_path)[-1]["result"] == "ok"


@pytest.mark.parametrize(("step", "serves"), [("build", "1"), ("migrate", "1"), ("switch", "1"), ("gate", "1"), ("retire", "2")])
def test_at_the_next_boot_the_former_version_serves_unless_the_new_one_had_passed(
    deployment: Deployment, place: Place, step: str, serves: str, tmp_path: Path
) -> None:
    place.fails[step, "2"] = PowerLost()
    with pytest.raises(PowerLost):
        deployment.deploy()
    deployment.resume()
    assert place.serving == serves and not (tmp_path / "state.json").exists()
    steps = list(place.steps)
    deployment.resume()
    assert place.steps == steps, "there is nothing left to do"


def test_the_power_may_be_lost_while_it_goes_back(deployment: Deployment, place: Place, tmp_path: Path) -> None:
    place.fails["gate", "2"] = Failed("not ready")
    place.fails["switch", "1"] = PowerLost()
    with pytest.raises(PowerLost):
        deployment.deploy()
    deployment.resume()
    assert place.serving == "1" and place.steps[-1] == ("gate", "1")
    assert record(tmp_path)[-1]["result"] == "rolled back"


def test_if_the_former_version_fails_too_it_stays_unfinished(deployment: Deployment, place: Place, tmp_path: Path) -> None:
    place.fails["gate", "2"] = Failed("not ready")
    place.fails["gate", "1"] = Failed("neither")
    with pytest.raises(Failed, match="neither"):
        deployment.deploy()
    assert (tmp_path / "state.json").exists()
    deployment.resume()
    assert place.serving == "1" and not (tmp_path / "state.json").exists()


def test_another_version_waits_until_the_interrupted_one_is_settled(deployment: Deployment, place: Place) -> None:
    place.fails["migrate", "2"] = PowerLost()
    with pytest.raises(PowerLost):
        deployment.deploy()
    place.target = "3"
    with pytest.raises(Failed, match="--resume"):
        deployment.deploy()
    deployment.resume()
    deployment.deploy()
    assert place.serving == "3"


def test_a_rollback_leads_to_the_version_before_and_back_again(deployment: Deployment, place: Place, said: list[str]) -> None:
    deployment.rollback()
    assert said[-2:] == ["0 serves", "another --rollback returns to 1"]
    assert place.steps == [(step, "0") for step in ROLLBACK]
    assert (place.serving, place.before) == ("0", "1")
    deployment.rollback()
    assert (place.serving, place.before) == ("1", "0")


def test_a_rollback_that_the_database_does_not_allow_changes_nothing(deployment: Deployment, place: Place) -> None:
    place.fails["fits", "0"] = Failed("newer schema")
    with pytest.raises(Failed, match="newer schema"):
        deployment.rollback()
    assert place.serving == "1"
    place.before = None
    with pytest.raises(Failed, match="no former version"):
        deployment.rollback()


def test_a_plan_changes_nothing(deployment: Deployment, place: Place, said: list[str], tmp_path: Path) -> None:
    place.fault = "full"
    assert [check.fault for check in deployment.plan()] == ["full"]
    assert said[0] == "prod on host: 1 -> 2" and "FAULT disk: full" in said[1] and "migrate" in said[-2]
    assert said[-1] == "nothing was changed; mend this fault first"
    assert place.steps == [] and list(tmp_path.iterdir()) == []


def test_a_plan_tells_a_deployment_that_runs_from_one_that_was_interrupted(deployment: Deployment, place: Place, said: list[str]) -> None:
    place.fails["switch", "2"] = PowerLost()
    with pytest.raises(PowerLost):
        deployment.deploy()
    deployment.plan(running=True)
    assert "the deploy of 2 is at switch now" in said
    deployment.plan()
    assert any("was interrupted at switch: repeat it to go on; --resume" in line for line in said)


def test_nothing_to_resume_and_nothing_deployed_are_said(deployment: Deployment, place: Place, said: list[str]) -> None:
    deployment.resume()
    assert said == ["nothing was interrupted"]
    place.serving = None
    with pytest.raises(Failed, match="nothing is deployed"):
        deployment.contract()


def test_only_one_runs(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "lock") and not (tmp_path / "lock").exists()
    with alone(tmp_path / "lock"):
        assert is_held(tmp_path / "lock")
    assert not is_held(tmp_path / "lock")
    with alone(tmp_path / "lock"), pytest.raises(Failed, match="another deployment"), alone(tmp_path / "lock"):
        pass
    with alone(tmp_path / "lock"):
        pass


def test_contract_steps_are_offered_and_taken_as_a_step_of_their_own(
    deployment: Deployment, place: Place, said: list[str], tmp_path: Path
) -> None:
    place.waiting = 2
    deployment.deploy()
    assert "contract" not in dict(place.steps) and said[-1].startswith("contract steps left: 2. --contract")
    place.steps.clear()
    deployment.contract()
    assert place.steps == [(step, "2") for step in CONTRACT] and record(tmp_path)[-1]["action"] == "contract"
    place.steps.clear()
    deployment.contract()
    assert place.steps == [] and said[-1] == "no contract step is left"


@pytest.mark.parametrize("step", CONTRACT)
def test_a_contract_step_that_fails_never_switches(deployment: Deployment, place: Place, step: str, tmp_path: Path) -> None:
    place.waiting = 1
    place.fails[step, "1"] = Failed("an older worker is connected")
    with pytest.raises(Failed, match="older worker"):
        deployment.contract()
    assert place.serving == "1" and "switch" not in dict(place.steps)
    assert record(tmp_path)[-1]["result"] == "failed" and not (tmp_path / "state.json").exists()


def test_after_the_power_was_lost_in_a_contract_step_nothing_is_switched(deployment: Deployment, place: Place, tmp_path: Path) -> None:
    place.waiting = 1
    place.fails["contract", "1"] = PowerLost()
    with pytest.raises(PowerLost):
        deployment.contract()
    deployment.resume()
    assert place.serving == "1" and "switch" not in dict(place.steps) and record(tmp_path)[-1]["result"] == "interrupted"
