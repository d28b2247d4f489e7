#!/bin/sh
# Writes the whole database to one file every EVERY_HOURS hours; `dump.sh healthy` ends with 0 while the newest is young enough.
set -eu

folder=${DUMPS:-/srv/dumps}
secret=${PASSWORD_FILE:-/run/secrets/postgres_password}
passwords=${PASSWORDS:-/tmp/pgpass}
limit=$((EVERY_HOURS * 60))

young() { [ -n "$(find "$folder" -maxdepth 1 -name library.dump -mmin "-$1" 2>/dev/null)" ]; }

dump() {
  umask 077
  printf '*:*:*:*:%s' "$(cat "$secret")" >"$passwords"
  PGPASSFILE=$passwords pg_dump --format=custom --no-password --file="$folder/library.dump.new"
  # Only a whole file takes the place of the one before.
  mv "$folder/library.dump.new" "$folder/library.dump"
  echo "dumped $(wc -c <"$folder/library.dump") bytes"
}

case ${1:-} in
  healthy) young $((limit + 120)) ;;
  once) dump ;;
  *)
    trap 'exit 0' TERM INT
    while :; do
      # A shell of its own: behind || a failed step would not end the function.
      young "$limit" || sh "$0" once || echo "the dump failed; it is tried again" >&2
      sleep 60 &
      wait $!
    done
    ;;
esac
