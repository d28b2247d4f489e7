"""Packages bring what completes the program's words in each shell of Linux."""

from __future__ import annotations

from pathlib import Path

from agent.interfaces.cli.completion import script
from installers.linux.tree import lay

ROOT = Path(__file__).parents[3]


def test_the_tree_of_a_package_holds_the_completions(tmp_path: Path) -> None:
    program = tmp_path / "program"
    (program / "_internal").mkdir(parents=True)
    (program / "ai-popup").write_bytes(b"")
    root = tmp_path / "tree"
    lay(program, root, kind="deb", checkout=ROOT, version="0.1.0")
    placed = {
        "usr/share/bash-completion/completions/ai-popup": "bash",
        "usr/share/zsh/vendor-completions/_ai-popup": "zsh",
        "usr/share/zsh/site-functions/_ai-popup": "zsh",
        "usr/share/fish/vendor_completions.d/ai-popup.fish": "fish",
    }
    for place, shell in placed.items():
        assert (root / place).read_text(encoding="utf-8") == script(shell), place
        assert (root / place).stat().st_mode & 0o777 == 0o644
