"""The command `ai-popup` of a host: a release's program as the server's user, with the settings of its units."""

import shlex
from pathlib import Path

from scripts.deploying.environment import Host
from scripts.deploying.files import point

NAME = "bin/by-hand"
_SCRIPT = r"""#!/bin/sh
# Runs this release as the server's user, with the settings of its units; made by scripts/deploy.sh.
set -eu
export AI_POPUP_HOME={home}
for file in {files}; do
  [ -r "$file" ] || continue
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in [A-Za-z_]*=*) ;; *) continue ;; esac
    value=${{line#*=}}
    case $value in \'*\' | \"*\") value=${{value#?}} value=${{value%?}} ;; esac
    export "${{line%%=*}}=$value"
  done <"$file"
done
user={user}
if [ -z "$user" ] || [ "$(id -un)" = "$user" ]; then exec {program} "$@"; fi
if [ "$(id -u)" -ne 0 ]; then echo "Run it as root: sudo ai-popup ..." >&2; exit 1; fi
exec runuser -u "$user" -- env HOME="$AI_POPUP_HOME" {program} "$@"
"""


def script(host: Host, release: Path) -> str:
    files = [release / "environment.env", *host.environment_files]
    return _SCRIPT.format(
        home=shlex.quote(host.home),
        files=" ".join(shlex.quote(str(each)) for each in files),
        user=shlex.quote(host.user),
        program=shlex.quote(str(release / "bin/ai-popup")),
    )


def link(host: Host) -> None:
    """Have the host's command lead to the release in use, unless another program has that name."""
    if not host.command:
        return
    command, target = Path(host.command), Path(host.root) / "current" / NAME
    if not command.is_symlink() and not command.exists():
        point(command, target)
