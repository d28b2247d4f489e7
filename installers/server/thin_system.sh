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
purge() { dpkg --purge --force-depends --force-remove-essential --force-remove-protected "$@" >/dev/null; }
purge apt libapt-pkg7.0 sqv perl-base debconf 2>/dev/null || true
# A container has no sign-in, mounts no disk and formats none, and its devices stay the same. Of util-linux, setpriv stays: it gives rights away.
purge mount bsdutils login login.defs passwd sysvinit-utils libpam-runtime libpam-modules libpam-modules-bin \
  libsemanage2 libsemanage-common libsepol2 libsystemd0 libudev1 libblkid1 libmount1 libsmartcols1 libseccomp2 \
  libdb5.3t64 libhogweed6t64 libnettle8t64 debian-archive-keyring diffutils mawk
dpkg --listfiles util-linux | grep '/s\?bin/' | grep --invert-match '/setpriv$' | xargs rm --force
# Programs of coreutils and a module of Python whose libraries are gone, and a second tini.
rm /usr/bin/pinky /usr/bin/users /usr/bin/who /usr/lib/python3*/lib-dynload/_dbm.*.so /usr/bin/tini-static
# Python's own tests, and the texts of help().
rm -r /usr/lib/python3*/test /usr/lib/python3*/pydoc_data
# gconv converts encodings for programs in C; Python and PostgreSQL have their own.
rm -rf /usr/lib/*/gconv /var/cache/* /var/lib/apt /var/log/* /usr/share/man /usr/share/info /usr/share/locale /usr/share/bash-completion /usr/share/perl*
# Copyright notices stay.
find /usr/share/doc -type f ! -name copyright -delete
# Nothing gains rights.
find / -xdev -type f -perm /6000 -exec chmod a-s {} +
