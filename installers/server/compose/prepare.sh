#!/bin/sh
# Makes the secrets of an environment, each a file: `./prepare.sh dev|staging|prod`. What is there stays, so it may run again.
set -eu
cd "$(dirname "$0")"

environment=${1:?dev, staging or prod}
[ -f "environments/$environment.env" ] || { echo "there is no environments/$environment.env" >&2; exit 2; }
folder=${SECRETS:-secrets/$environment}
years=${YEARS:-5} # of the certificate between Caddy and the server

umask 077
mkdir -p "$folder"

# A file is complete or absent. Services have different users, so the folder keeps others out, not the files.
keep() { cat >"$folder/$1.new" && chmod 444 "$folder/$1.new" && mv "$folder/$1.new" "$folder/$1" && echo "made $folder/$1"; }
word() { openssl rand -hex 32 | tr -d '\n'; }

for name in postgres_password database_password metrics_token alerts_token grafana_password restic_password; do
  [ -f "$folder/$name" ] || word | keep "$name"
done
[ -f "$folder/database_url" ] || printf 'postgresql://ai_popup:%s@postgres/ai_popup' "$(cat "$folder/database_password")" | keep database_url
# For S3: an AWS credentials file with the profile `default`. Other repositories need none.
[ -f "$folder/restic_credentials" ] || : | keep restic_credentials

if [ ! -f "$folder/tls_key" ] || ! openssl x509 -in "$folder/tls_certificate" -noout -checkend 2592000 >/dev/null 2>&1; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  days=$((years * 365))
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "$days" -subj "/CN=AI Popup, inside" \
    -addext keyUsage=critical,keyCertSign,cRLSign -keyout "$work/authority.key" -out "$work/authority.pem" 2>/dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=api" -keyout "$work/key.pem" -out "$work/request.pem" 2>/dev/null
  printf 'subjectAltName=DNS:api\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n' >"$work/extensions"
  openssl x509 -req -in "$work/request.pem" -CA "$work/authority.pem" -CAkey "$work/authority.key" -CAcreateserial \
    -days "$days" -extfile "$work/extensions" -out "$work/certificate.pem" 2>/dev/null
  # The authority's key is not kept: it signs this one certificate.
  keep internal_authority <"$work/authority.pem"
  keep tls_certificate <"$work/certificate.pem"
  keep tls_key <"$work/key.pem"
fi
echo "The restic password opens the backups: keep a copy of $folder/restic_password elsewhere."
