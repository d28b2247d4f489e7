#!/bin/sh
# Writes the digest of each image in images.env behind its tag, as the registry has it now: `./pin_images.sh`. Needs Docker with buildx.
set -eu
cd "$(dirname "$0")"

file=${1:-images.env}
while IFS= read -r line; do
  case $line in
    *_IMAGE=localhost/*) ;; # built here
    *_IMAGE=*)
      image=${line#*=}
      image=${image%@*}
      digest=$(docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$image")
      case $digest in sha256:*) ;; *) echo "no digest of $image" >&2; exit 1 ;; esac
      line=${line%%=*}=$image@$digest
      ;;
  esac
  printf '%s\n' "$line"
done <"$file" >"$file.new"
mv "$file.new" "$file"
