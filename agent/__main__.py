"""Starts the program: `ai-popup`, `python -m agent`, and the children that it starts itself."""

import sys


def main() -> int:
    """Returns the exit code: 0 all well, 1 something failed, 2 wrong usage."""
    from agent.main.command_line import main

    code = main(sys.argv[1:])
    from agent.core.threads import leave

    return leave(code)


if __name__ == "__main__":
    sys.exit(main())
