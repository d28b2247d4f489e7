"""Runs other programs, so that tests can answer in their place."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from scripts.deploying.failures import Failed

Variables: TypeAlias = Mapping[str, str] | None

LIMIT_S = 3_600.0
_SHOWN = 2_000  # characters of a failed command's messages


@dataclass(frozen=True)
class Done:
    code: int
    out: str = ""
    errors: str = ""


class Runner(Protocol):
    def run(
        self, command: Sequence[str], *, environment: Mapping[str, str] | None = None, user: str = "", limit_s: float = LIMIT_S
    ) -> Done:
        """Run a command to its end, with `environment` added to ours, as another user if one is named. Raises Failed if it can't start."""
        ...


class Processes:
    """The real one. `held` are descriptors that the commands hold, too: a killed deployment's lock lasts as long as what it began."""

    def __init__(self) -> None:
        self.held: tuple[int, ...] = ()

    def run(
        self, command: Sequence[str], *, environment: Mapping[str, str] | None = None, user: str = "", limit_s: float = LIMIT_S
    ) -> Done:
        other = {"user": user, "group": user, "extra_groups": []} if user and os.geteuid() == 0 else {}
        try:
            done = subprocess.run(
                list(command),
                env={**os.environ, **(environment or {})},
                cwd="/",  # another user may not see ours
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=limit_s,
                check=False,
                pass_fds=self.held,
                **other,  # type: ignore[call-overload]  # which mypy can't tell
            )
        except subprocess.TimeoutExpired:
            raise Failed(f"{command[0]} took longer than {limit_s:.0f} s") from None
        except (OSError, LookupError) as error:
            raise Failed(f"{command[0]} can't be run: {type(error).__name__}") from error
        return Done(done.returncode, done.stdout, done.stderr)


def expect(done: Done, what: str) -> str:
    """Return what a command printed. Raises Failed, with its messages, if it failed."""
    if done.code != 0:
        said = (done.errors or done.out).strip()[-_SHOWN:]
        raise Failed(f"{what} failed ({done.code}): {said}")
    return done.out
