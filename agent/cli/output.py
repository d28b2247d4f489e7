"""Where all that commands print passes."""

import click

# A file's name may hold what a terminal obeys: moves of the cursor, other titles, lines that look like ours. As JSON writes it.
_ESCAPED = {code: f"\\u{code:04x}" for code in (*range(0x20), *range(0x7F, 0xA0))}


def say(*lines: str, err: bool = False) -> None:
    """Print each on a line of its own, with its control characters escaped, so that JSON stays the JSON it is."""
    for line in lines:
        click.echo(line.translate(_ESCAPED), err=err)
