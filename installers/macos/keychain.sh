#!/usr/bin/env bash
# In a workflow: puts the environment's certificate into a separate keychain, which ends with the runner.
set -euo pipefail

keychain=$RUNNER_TEMP/signing.keychain-db
password=$(openssl rand -hex 16)
printf '%s' "$MACOS_CERTIFICATE" | base64 --decode > "$RUNNER_TEMP/certificate.p12"
trap 'rm -f "$RUNNER_TEMP/certificate.p12"' EXIT
security create-keychain -p "$password" "$keychain"
security set-keychain-settings -lut 7200 "$keychain"
security unlock-keychain -p "$password" "$keychain"
security import "$RUNNER_TEMP/certificate.p12" -k "$keychain" -P "$MACOS_CERTIFICATE_PASSWORD" -T /usr/bin/codesign
security set-key-partition-list -S apple-tool:,apple: -s -k "$password" "$keychain" > /dev/null
security list-keychains -d user -s "$keychain" login.keychain-db
