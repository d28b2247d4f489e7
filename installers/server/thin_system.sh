#!/bin/sh
# Ends the build of the image's system: makes the user, and removes what only building needs. A newer system comes by a new build.
set -eu

id=10001
home=/var/lib/ai-popup
echo "ai-popup:x:$id:$id::$home:/usr/sbin/nologin" >>/etc/passwd
echo "ai-popup:x:$id:" >>/etc/group
# New volumes take the owners of these folders.
for folder in "$home" /srv/uploads /srv/worker-keys; do
  mkdir -p "$folder"
  chown "$id:$id" "$folder"
  chmod 700 "$folder"
done

# Packages of packages: nothing installs anything any more, and no interpreter but Python's is needed.
dpkg --purge --force-depends --force-remove-essential --force-remove-protected apt libapt-pkg7.0 sqv perl-base debconf >/dev/null 2>&1 || true
# gconv converts encodings for programs in C; Python and PostgreSQL have their own.
rm -rf /usr/lib/*/gconv /var/cache/* /var/lib/apt /var/log/* /usr/share/man /usr/share/info /usr/share/locale /usr/share/bash-completion /usr/share/perl*
# Copyright notices stay.
find /usr/share/doc -type f ! -name copyright -delete
# Nothing gains rights.
find / -xdev -type f -perm /6000 -exec chmod a-s {} +
