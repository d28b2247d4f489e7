"""The order of a deployment: what fails before the switch changes nothing for users, what fails after it is taken back."""

import time
from collections.abc import Callable

from scripts.deploying.backend import Backend, Check
from scripts.deploying.failures import Failed
from scripts.deploying.record import Book, State

DEPLOY = ("preflight", "build", "check", "backup", "migrate", "switch", "gate", "retire")
ROLLBACK = ("fits", "switch", "gate", "retire")
CONTRACT = ("backup", "contract", "gate")
_SWITCHED = ("switch", "gate")
Say = Callable[[str], None]


class Deployment:
    """`say` tells the operator what happens. The caller holds the lock."""

    def __init__(self, backend: Backend, book: Book, environment: str, kind: str, say: Say) -> None:
        self._backend = backend
        self._book = book
        self._environment = environment
        self._kind = kind
        self._say = say

    def plan(self, *, running: bool = False) -> list[Check]:
        """Say what a deployment would do, and look; nothing is changed. `running`: another one is at work."""
        target, unfinished = self._backend.version(), self._book.unfinished()
        self._say(f"{self._environment} on {self._kind}: {self._backend.current() or 'nothing'} -> {target}")
        if unfinished is not None:
            step, what = unfinished.step or "the next step", f"the {unfinished.action} of {unfinished.target}"
            remedy = "repeat it to go on; --resume goes back, or finishes what passed the gate"
            self._say(f"{what} is at {step} now" if running else f"{what} was interrupted at {step}: {remedy}")
        checks = self._backend.preflight()
        for each in checks:
            self._say(f"  {'FAULT ' if each.fault else 'ok    '}{each.name}: {each.fault or each.said}")
        left = [] if target == self._backend.current() and unfinished is None else [step for step in DEPLOY if step != "preflight"]
        self._say(f"steps: {', '.join(left) or 'none, it runs already'}")
        if not left:
            self._offer(target)
        if faults := sum(bool(each.fault) for each in checks):
            self._say(f"nothing was changed; mend {'this fault' if faults == 1 else f'these {faults} faults'} first")
        return checks

    def deploy(self) -> None:
        """Bring the version up; one that was interrupted is continued. Raises Failed: the former version serves then."""
        target, state = self._backend.version(), self._book.unfinished()
        if state is not None and (state.action, state.target) != ("deploy", target):
            raise Failed(f"the {state.action} of {state.target} was interrupted: finish it with --resume first")
        if state is None:
            if self._backend.current() == target:
                self._say(f"{target} runs already: {self._backend.gate(target)}")
                return
            state = self._book.begin(self._environment, self._kind, "deploy", self._backend.current(), target)
        self._through(state, DEPLOY)

    def rollback(self) -> None:
        """Go back to the former version. Raises Failed: the present one serves then."""
        if (state := self._book.unfinished()) is not None:
            self._settle(state)
            return
        former, current = self._backend.former(), self._backend.current()
        if former is None:
            raise Failed("there is no former version to go back to")
        self._through(self._book.begin(self._environment, self._kind, "rollback", current, former), ROLLBACK)

    def contract(self) -> None:
        """Take the steps that were left for later: there is no rollback past them. Raises Failed."""
        if (state := self._book.unfinished()) is not None:
            raise Failed(f"the {state.action} of {state.target} was interrupted: finish it with --resume first")
        current = self._backend.current()
        if current is None:
            raise Failed("nothing is deployed yet")
        if not self._backend.left(current):
            self._say("no contract step is left")
            return
        self._through(self._book.begin(self._environment, self._kind, "contract", None, current), CONTRACT)

    def resume(self) -> None:
        """After an interruption: finish it if the version had passed the gate, else go back. Nothing happens if none was interrupted."""
        if (state := self._book.unfinished()) is not None:
            self._settle(state)
        else:
            self._say("nothing was interrupted")

    def _settle(self, state: State) -> None:
        if state.action == "contract":
            self._book.end(state, "interrupted", "each step is whole or was not taken")
            self._say(f"{state.target} serves; run --contract again")
        elif "gate" in state.done:
            self._through(state, DEPLOY if state.action == "deploy" else ROLLBACK)
        elif state.step in _SWITCHED or "switch" in state.done:
            self._back(state, "interrupted")
        else:
            self._book.end(state, "interrupted", "before the switch: nothing to take back")
            self._say(_unswitched(state))

    def _through(self, state: State, steps: tuple[str, ...]) -> None:
        for name in steps:
            if name in state.done:
                continue
            state = self._book.step(state, name)
            began = time.monotonic()
            try:
                said = self._step(name, state)
            except Failed as failure:
                self._book.note(state, "failed", seconds=round(time.monotonic() - began, 3), said=str(failure))
                if name in _SWITCHED and state.action != "contract":
                    self._back(state, str(failure))
                else:
                    self._book.end(state, "failed", str(failure))
                    if state.action != "contract" and "switch" not in state.done:
                        self._say(_unswitched(state))
                raise
            state = self._book.done(state, began, said)
            self._say(f"{name}: {said} ({time.monotonic() - began:.1f} s)")
        self._book.end(state, "ok")
        self._say(f"{state.target} serves")
        if state.action == "deploy":
            self._offer(state.target)
        elif state.action == "rollback" and state.former is not None:
            self._say(f"another --rollback returns to {state.former}")

    def _offer(self, version: str) -> None:
        """Say which steps wait for an operator who no longer wants to go back."""
        try:
            left = self._backend.left(version)
        except Failed as failure:  # it serves all the same
            self._say(str(failure))
            return
        if left:
            self._say(f"contract steps left: {left}. --contract takes them; there is no rollback past them")

    def _step(self, name: str, state: State) -> str:
        if name == "preflight":
            if faults := [f"{each.name}: {each.fault}" for each in self._backend.preflight() if each.fault]:
                raise Failed("; ".join(faults))
            return "ok"
        if name == "retire":
            return self._backend.retire(state.target, state.former)
        step: Callable[[str], str] = getattr(self._backend, name)
        return step(state.target)

    def _back(self, state: State, why: str) -> None:
        """Have the former version serve again. Its schema step stays: it was checked that the former version works on it."""
        self._say(f"going back to {state.former}: {why}" if state.former else f"switching it off, as nothing served before: {why}")
        state = self._book.step(state, "switch")  # also after a power failure in the middle of this
        try:
            self._backend.switch(state.former)
            said = self._backend.gate(state.former) if state.former is not None else "none before"
        except Failed as failure:
            self._book.note(state, "failed", said=str(failure))
            raise Failed(f"{why}; and {state.former} does not serve either: {failure}. Run --resume once that is mended") from failure
        self._book.end(state, "rolled back", f"{why}; {said}")
        self._say(f"{state.former} serves again" if state.former else "nothing serves")


def _unswitched(state: State) -> str:
    return f"{state.target} was not switched on; {state.former or 'nothing'} serves"
