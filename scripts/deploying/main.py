"""The command line of `scripts/deploy.sh`."""

import argparse
import os
import sys
from pathlib import Path

from scripts.deploying.backend import Backend
from scripts.deploying.commands import Processes, Runner
from scripts.deploying.compose import ComposeBackend
from scripts.deploying.deployment import Deployment
from scripts.deploying.environment import BACKENDS, NAMES, Environment, load
from scripts.deploying.failures import Failed
from scripts.deploying.files import alone, is_held
from scripts.deploying.host import HostBackend
from scripts.deploying.kubernetes import KubernetesBackend
from scripts.deploying.record import STATE, Book
from scripts.deploying.releases import Releases

DEFAULT_STATE = Path("/var/lib/ai-popup-deploy")


def arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="deploy.sh", description="Deploy the team server, and go back if it does not become healthy.")
    parser.add_argument("environment", nargs="?", choices=NAMES, help="which settings and places; --resume knows it")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--plan", action="store_true", help="say what would happen, look, and change nothing")
    what.add_argument("--rollback", action="store_true", help="go back to the version before")
    what.add_argument("--contract", action="store_true", help="take the schema's steps after which the version before can't come back")
    what.add_argument("--resume", action="store_true", help="after an interruption: finish what passed the gate, else go back")
    parser.add_argument("--on", choices=BACKENDS, default="", help="in place of what the environment says")
    parser.add_argument("--wheel", type=Path, help="the program as a wheel; without it, this checkout (hosts)")
    parser.add_argument("--image", default="", help="the image with its digest, NAME@sha256:... (Compose, Kubernetes)")
    parser.add_argument("--without-backup", action="store_true", help="make no backup before the migration")
    given = parser.parse_args(words)
    if given.environment is None and not given.resume:
        parser.error("name an environment: " + ", ".join(NAMES))
    return given


def backend_of(environment: Environment, given: argparse.Namespace, runner: Runner) -> Backend:
    if environment.backend == "compose":
        return ComposeBackend(environment, runner, given.image, without_backup=given.without_backup)
    if environment.backend == "kubernetes":
        return KubernetesBackend(environment, runner, given.image, without_backup=given.without_backup)
    return HostBackend(environment, runner, Releases(environment, runner, wheel=given.wheel), without_backup=given.without_backup)


def main(words: list[str], runner: Runner | None = None) -> int:
    """Returns 0, 1 if it failed, 2 for wrong usage, 130 if the operator interrupted it."""
    given = arguments(words)
    os.umask(0o022)  # the server's user reads the releases
    try:
        name, kind = given.environment, given.on
        if name is None:
            state = Book(DEFAULT_STATE).unfinished() if (DEFAULT_STATE / STATE).exists() else None
            if state is None:
                _say("nothing was interrupted")
                return 0
            name, kind = state.environment, state.backend
        environment = load(name, kind)
        book = Book(environment.state)
        processes = Processes()
        deployment = Deployment(backend_of(environment, given, runner or processes), book, name, environment.backend, _say)
        if given.plan:
            running = is_held(environment.state / "lock")
            return 1 if any(each.fault for each in deployment.plan(running=running)) else 0
        environment.state.mkdir(parents=True, exist_ok=True)
        with alone(environment.state / "lock") as lock:
            processes.held = (lock,)
            if given.rollback:
                deployment.rollback()
            elif given.contract:
                deployment.contract()
            elif given.resume:
                deployment.resume()
            else:
                deployment.deploy()
    except Failed as failure:
        print(f"deploy.sh: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("deploy.sh: interrupted. Repeat the command to go on, or take it back by --resume", file=sys.stderr)
        return 130
    return 0


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
