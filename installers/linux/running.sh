# Shared by the packages' scripts. An upgrade ends the agents that run, in order (their jobs are kept), and starts them again for the same
# users with the same session; a removal only ends them. Nobody's home is touched.
program=/usr/lib/ai-popup/ai-popup
kept=/run/ai-popup-upgrade

agents() {
    for process in /proc/[0-9]*; do
        exe=$(readlink "$process/exe" 2>/dev/null) || continue
        case "$exe" in "$program" | "$program (deleted)") ;; *) continue ;; esac
        case "$(tr '\0' ' ' <"$process/cmdline" 2>/dev/null)" in *" run "*) echo "${process#/proc/}" ;; esac
    done
}

end_agents() {
    found=$(agents)
    [ -n "$found" ] || return 0
    if [ "$1" = remember ]; then
        (umask 077 && mkdir -p "$kept")
        for pid in $found; do
            # Who it was, and where its desktop is.
            cp "/proc/$pid/environ" "$kept/$pid.environ" 2>/dev/null || continue
            tr '\0' '\n' <"/proc/$pid/cmdline" | grep -q -x -e --no-tray && touch "$kept/$pid.no-tray"
            stat -c '%u %g' "/proc/$pid" >"$kept/$pid.user"
        done
    fi
    kill -TERM $found 2>/dev/null || true
    tries=0
    while [ -n "$(agents)" ] && [ "$tries" -lt 100 ]; do
        sleep 0.2
        tries=$((tries + 1))
    done
    left=$(agents)
    [ -z "$left" ] || kill -KILL $left 2>/dev/null || true
}

# rpm may run a package's scripts walled off, without a network and with a /tmp of their own. An agent that was started in there would never
# come up: it is started where the package manager itself is.
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
        words=run
        [ ! -e "$before.no-tray" ] || words="run --no-tray"
        # The user first, then what they said: their PATH and LD_PRELOAD would choose what root runs.
        xargs -0 -a "$before.environ" $out sh -c '
            uid=$1 gid=$2 words=$3 && shift 3
            cd / && exec setpriv --reuid "$uid" --regid "$gid" --init-groups env -i -- "$@" setsid -f '"$program"' $words
        ' sh "$uid" "$gid" "$words" >/dev/null 2>&1 </dev/null ||
            echo "ai-popup: could not be started again for user $uid; it starts at the next log-in, or by: ai-popup run"
    done
    rm -rf "$kept"
}
