#!/usr/bin/env bash
# Runs the server's image by Docker as it is meant to be run, and ends it: `scripts/try_image.sh IMAGE`. Without Docker,
# tests/packages/server/test_server_image.py does the same, and scans a photo besides.
set -euo pipefail

image=${1:?an image}
name=ai-popup-try-$$
trap 'docker rm --force --volumes "$name" >/dev/null 2>&1 || true' EXIT

docker run --detach --name "$name" --read-only --network none --cap-drop ALL --security-opt no-new-privileges --tmpfs /tmp \
  --env AI_POPUP__LOGS__TARGET=stdout "$image"
for _ in $(seq 120); do
  health=$(docker inspect --format '{{.State.Health.Status}}' "$name")
  [ "$health" = starting ] || break
  sleep 2
done
if [ "$health" != healthy ]; then
  docker logs "$name"
  exit 1
fi
test "$(docker exec "$name" id -u)" = 10001
if docker exec "$name" touch /opt/ai-popup/new 2>/dev/null; then
  echo "its root can be written to" >&2
  exit 1
fi
docker exec "$name" ai-popup status --json
docker stop --time 60 "$name" >/dev/null
test "$(docker inspect --format '{{.State.ExitCode}}' "$name")" = 0
echo "it serves and stops"
