"""Sandboxes the engine's process before it reads the first byte of a user's file, and reports what the system really enforces."""

import sys

from agent.inference.engine.sandbox.report import OPEN, Sandbox
from agent.inference.engine.sandbox.sandbox_paths import SandboxPaths

__all__ = ["SandboxPaths", "raise_wall"]


def can_be_whole() -> bool:
    """Whether this operating system supports the full sandbox, at least in its newer versions."""
    return sys.platform in ("linux", "darwin")


def enter_sandbox(rooms: SandboxPaths) -> Sandbox:
    """Sandbox this process for good, as far as this system can. Call it while only one thread runs: older threads may stay outside.

    Never raises: a restriction that is not in force is missing from the answer.
    """
    if sys.platform == "linux":
        from agent.inference.engine.sandbox.linux import enter_sandbox as raise_here
    elif sys.platform == "darwin":
        from agent.inference.engine.sandbox.macos import enter_sandbox as raise_here
    elif sys.platform == "win32":
        from agent.inference.engine.sandbox.job_object import enter_sandbox as raise_here
    else:
        return OPEN
    return raise_here(rooms)
