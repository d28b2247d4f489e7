#!/bin/sh
# Deploys the team server: scripts/deploy.sh ENV [--plan | --rollback | --contract | --resume]; see docs/operate/upgrade.md. The work is in deploying/.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
if [ -d "$here/scripts/deploying" ]; then root=$here; else root=$(dirname -- "$here"); fi
PYTHONPATH=$root PYTHONDONTWRITEBYTECODE=1 exec "${PYTHON:-python3}" -P -m scripts.deploying.main "$@"
