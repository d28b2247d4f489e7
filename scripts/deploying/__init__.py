"""Deploys the team server: what `scripts/deploy.sh` runs. The standard library only: the host may have nothing else yet."""
