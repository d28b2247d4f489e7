"""Starts the program: `ai-popup`, `python -m agent`, and the children that it starts itself."""

import sys


def main() -> int:
    """Returns the exit code: 0 all well, 1 something failed, 2 wrong usage."""
    from agent.main.command_line import main

    return main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
