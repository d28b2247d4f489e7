#!/bin/sh
# Backs up each new dump, with the server's home and the uploads, encrypted; `restic.sh healthy` ends with 0 while the newest is young enough.
set -eu

done_at=${DONE_AT:-/cache/last}
source=${SOURCE:-/backup}

backup() {
  # A new repository is made, an existing one is opened.
  restic cat config >/dev/null 2>&1 || restic init
  restic backup --quiet --host ai-popup --exclude-caches --exclude "$source/home/cache" --exclude "$source/home/run" "$source"
  # shellcheck disable=SC2086 # several words
  restic forget --quiet --host ai-popup --prune $KEEP
  # A tenth of the data is read back each time, so that damage is found before it is needed.
  restic check --quiet --read-data-subset=10%
  touch "$done_at"
  echo "backed up"
}

case ${1:-} in
  healthy) [ -n "$(find "$done_at" -mmin "-$((EVERY_HOURS * 60 + 240))" 2>/dev/null)" ] ;;
  once) backup ;;
  *)
    trap 'exit 0' TERM INT
    while :; do
      if [ -n "$(find "$source/dumps/library.dump" -newer "$done_at" 2>/dev/null)" ] || { [ -f "$source/dumps/library.dump" ] && [ ! -f "$done_at" ]; }; then
        # A shell of its own: behind || a failed step would not end the function.
        sh "$0" once || echo "the backup failed; it is tried again" >&2
      fi
      sleep 60 &
      wait $!
    done
    ;;
esac
