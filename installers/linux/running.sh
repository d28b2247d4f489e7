# Shared by the packages' scripts. An upgrade stops running agents cleanly (their jobs are kept) and starts them again for the same users
# in the same desktop sessions; a removal only stops them. No home folder is changed.
#
# These scripts run as root, often on root's terminal, and a process controls everything they read about it. So a user's process
# never shares root's session or files, and only the variables named below reach the new agent, each as NAME=VALUE.
program=/usr/lib/ai-popup/ai-popup
kept=/run/ai-popup-upgrade
proc=/proc
path=/usr/local/bin:/usr/bin:/bin
desktop='DBUS_SESSION_BUS_ADDRESS|DESKTOP_SESSION|DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|XDG_[A-Z_]+'
input='GTK_IM_MODULE|QT_IM_MODULE|XMODIFIERS'
looks='GDK_SCALE|GDK_DPI_SCALE|QT_QPA_PLATFORM|QT_SCALE_FACTOR|QT_AUTO_SCREEN_SCALE_FACTOR'
person='HOME|LANG|LANGUAGE|LC_[A-Z]+|LOGNAME|TZ|USER'
network='https?_proxy|no_proxy|all_proxy|HTTPS?_PROXY|NO_PROXY|ALL_PROXY|SSL_CERT_FILE|SSL_CERT_DIR'
allowed="$desktop|$input|$looks|$person|$network|AI_POPUP_[A-Z0-9_]+"

# These functions inspect the process whose /proc folder is the working directory: the open folder stays that process's, even if its
# number is reused.
is_agent() {
    case "$(readlink exe 2>/dev/null)" in "$program" | "$program (deleted)") ;; *) return 1 ;; esac
    # A program in a container is not ours, whatever its path is there.
    for kind in pid user; do
        [ "$(readlink "ns/$kind" 2>/dev/null)" = "$(readlink "$proc/self/ns/$kind")" ] || return 1
    done
    case "$(tr '\0' ' ' <cmdline 2>/dev/null)" in *" run "*) ;; *) return 1 ;; esac
}
# "UID GID", if the process belongs to one user completely: not while it runs a setuid program.
owner() {
    sed -n -E -e 's/^[UG]id:\t([0-9]+)\t\1\t\1\t\1$/\1/p' -e 's/^[UG]id:.*/-/p' status 2>/dev/null | tr '\n' ' ' | grep -x -E '[0-9]+ [0-9]+ '
}
# One NAME=VALUE per line. Entries of other forms or names are left out, and so are values with control characters.
settings() {
    LC_ALL=C sed -z -n -E "/^($allowed)=[^[:cntrl:]]*\$/p" environ 2>/dev/null | tr '\0' '\n' | head -n 200
}

agents() {
    # One program searches all processes of a busy machine; its matches are then checked carefully.
    find "$proc"/[0-9]*/exe -maxdepth 0 \( -lname "$program" -o -lname "$program (deleted)" \) 2>/dev/null | while IFS= read -r exe; do
        process=${exe%/exe}
        (cd "$process" 2>/dev/null && is_agent && echo "${process#"$proc"/}") || continue
    done
}

# as_user UID GID COMMAND...: with a user's permissions, in a session without a terminal, and without root's open files and environment.
as_user() {
    (
        uid=$1 gid=$2
        shift 2
        cd / && exec $out setsid -w setpriv --reuid "$uid" --regid "$gid" --init-groups -- /usr/bin/env -i "PATH=$path" "$@"
    ) </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
}

# A signal is sent with the permissions of the process's own user: sent late, to another process of that number, it can do no harm.
end_each() {
    for pid in $(agents); do
        whose=$(cd "$proc/$pid" 2>/dev/null && owner) || continue
        as_user $whose /bin/sh -c 'kill -"$1" "$2"' sh "$1" "$pid" || true
    done
}

remember() {
    for pid in $(agents); do
        (
            cd "$proc/$pid" 2>/dev/null && whose=$(owner) || exit 0
            settings >"$kept/$pid.environ"
            tr '\0' '\n' <cmdline | grep -q -x -e --no-tray && : >"$kept/$pid.no-tray"
            # Only if it was the same agent, of the same user, throughout.
            is_agent && [ "$(owner)" = "$whose" ] && echo "$whose" >"$kept/$pid.user"
        ) || true
    done
}

end_agents() {
    [ -n "$(agents)" ] || return 0
    out=
    if [ "$1" = remember ]; then
        (umask 077 && mkdir -p "$kept")
        remember
    fi
    end_each TERM
    tries=0
    while [ -n "$(agents)" ] && [ "$tries" -lt 100 ]; do
        sleep 0.2
        tries=$((tries + 1))
    done
    end_each KILL
}

# rpm may run a package's scripts isolated, without a network and with their own /tmp. An agent started there would never
# work: it is started in the package manager's own environment.
way_out() {
    for kind in net mnt; do
        if [ "$(readlink "/proc/self/ns/$kind")" != "$(readlink "/proc/$PPID/ns/$kind")" ]; then
            echo "nsenter --target $PPID --mount --net --"
            return
        fi
    done
}

start_agents() {
    [ -d "$kept" ] || return 0
    out=$(way_out)
    for user in "$kept"/*.user; do
        [ -e "$user" ] || continue
        read -r uid gid <"$user"
        before=${user%.user}
        set -- /usr/bin/setsid -f "$program" run
        [ ! -e "$before.no-tray" ] || set -- "$@" --no-tray
        while IFS= read -r setting; do
            [ "${#setting}" -gt 4096 ] || set -- "$setting" "$@"
        done <"$before.environ"
        as_user "$uid" "$gid" "$@" ||
            echo "ai-popup: could not be started again for user $uid; it starts at the next log-in, or by: ai-popup run"
    done
    rm -rf "$kept"
}
