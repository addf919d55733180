# shellcheck shell=sh disable=SC2034,SC2154
# Kernel modules, and argosyd: by systemd where that runs the machine, else by hand with a pid file and a log.

SOCKET=/run/argosy.sock
PIDFILE=/run/argosyd.pid
LOG=/var/log/argosyd.log
EXEC_ROOT=/run/argosy
UNITS='argosyd.socket argosyd.service'
MODULES='overlay veth bridge nf_tables nf_conntrack nf_nat nft_chain_nat nft_nat nft_masq nft_ct nft_redir'

has_systemd() { [ -d /run/systemd/system ]; }

load_modules() {
    folder=/lib/modules/$(uname -r)
    # A kernel without a folder of modules has built in what it has; argosyd and argosy doctor find out by trying.
    [ -d "$folder" ] || return 0
    absent=''
    for module in $MODULES; do
        [ ! -d "/sys/module/$module" ] || continue
        ! grep -q "/$module\.ko" "$folder/modules.builtin" 2>/dev/null || continue
        if modprobe -q "$module" 2>/dev/null; then
            note modules "$module"
        else
            absent="$absent $module"
        fi
    done
    [ -z "$absent" ] || warn "kernel modules that this machine does not have:$absent (argosy doctor says what fails without them)"
}

ping_daemon() {
    "$ROOT/.venv/bin/python" -I -S -c 'import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(2)
s.connect(sys.argv[1])
s.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
sys.exit(b" 200 " not in s.recv(64))' "$SOCKET" 2>/dev/null
}

# await_daemon [PID]: until it answers; not when the process has ended.
await_daemon() {
    for _ in $(seq 150); do
        ! ping_daemon || return 0
        [ -z "${1:-}" ] || [ -d "/proc/$1" ] || return 1
        sleep 0.2
    done
    return 1
}

start_daemon() {
    if ping_daemon; then
        say "argosyd already answers on $SOCKET."
        return 0
    fi
    if ! getent group argosy >/dev/null; then
        groupadd --system argosy
        note groups argosy
    fi
    step 'Starting argosyd'
    if has_systemd; then
        for unit in $UNITS; do
            note units "$unit"
            install -m 644 "$ROOT/packaging/systemd/$unit" "/etc/systemd/system/$unit"
        done
        systemctl daemon-reload
        systemctl enable --quiet argosyd.socket argosyd.service
        systemctl start argosyd.socket argosyd.service || true
        await_daemon || { systemctl --no-pager -n 20 status argosyd.service >&2 || true; die 'argosyd did not start: journalctl -u argosyd says why.'; }
    else
        setsid /usr/local/bin/argosyd --pidfile "$PIDFILE" -H "unix://$SOCKET" >>"$LOG" 2>&1 </dev/null &
        await_daemon $! || { tail -n 20 "$LOG" >&2; die "argosyd did not start: $LOG says why."; }
    fi
}

daemon_pid() {
    [ -r "$PIDFILE" ] || return 1
    pid=$(cat "$PIDFILE")
    tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -q argosyd || return 1
    printf '%s' "$pid"
}

container_ids() {
    for folder in "$DATA"/containers/*/; do
        id=$(basename "$folder")
        [ ${#id} != 64 ] || printf '%s\n' "$id"
    done
}

# Containers live on when their daemon has died, and only a daemon takes them away as a whole: it is started again for that.
remove_containers() {
    if ! ping_daemon; then
        [ -n "$(container_ids)" ] || return 0
        (start_daemon) || { warn 'argosyd does not start: its containers are killed instead'; return 0; }
    fi
    ids=$("$ROOT/.venv/bin/argosy" -H "unix://$SOCKET" ps -aq 2>/dev/null) || return 0
    # shellcheck disable=SC2086  # a list of ids
    [ -z "$ids" ] || "$ROOT/.venv/bin/argosy" -H "unix://$SOCKET" rm -f $ids >/dev/null || warn 'some containers could not be removed'
}

stop_daemon() {
    if has_systemd && [ -e "$RECORD/units" ]; then
        # shellcheck disable=SC2086
        systemctl disable --quiet --now $UNITS 2>/dev/null || true
        for unit in $UNITS; do rm -f "/etc/systemd/system/$unit"; done
        systemctl daemon-reload
    elif pid=$(daemon_pid); then
        kill "$pid"
        for _ in $(seq 100); do
            [ -d "/proc/$pid" ] || break
            sleep 0.1
        done
        [ ! -d "/proc/$pid" ] || kill -KILL "$pid"
    fi
    sweep_host
    rm -f "$PIDFILE" "$LOG" "$SOCKET"
}

# Containers that a daemon which does not start has left: all in a cgroup with a container's id in its name, under either driver.
kill_containers() {
    for id in $(container_ids); do
        find /sys/fs/cgroup -depth -type d -path "*$id*" 2>/dev/null | while read -r group; do
            # Frozen, not even SIGKILL ends them on cgroup v1.
            [ ! -e "$group/freezer.state" ] || echo THAWED >"$group/freezer.state" || true
            for _ in $(seq 50); do
                # 0 is a process that we cannot see from our pid namespace (cgroups(7)), and would be ourselves to kill.
                # shellcheck disable=SC2046  # a list of pids
                kill -KILL $(grep -vx 0 "$group/cgroup.procs") 2>/dev/null || true
                ! rmdir "$group" 2>/dev/null || break
                sleep 0.1
            done
        done
    done
}

# The daemon is gone and has no containers left: what outlives it by design (launcher, name server) ends, its link and its rules go.
sweep_host() {
    for folder in /proc/[0-9]*; do
        words=$(tr '\0' ' ' 2>/dev/null <"$folder/cmdline") || continue
        case $words in *argosy*) ;; *) continue ;; esac
        # Of this daemon only: others on the machine have exec roots of their own.
        case $words in
        *" $EXEC_ROOT/"*) ;;
        *) find "$folder/fd" -lname "$EXEC_ROOT/*" 2>/dev/null | grep -q . || continue ;;
        esac
        kill -KILL "${folder#/proc/}" 2>/dev/null || true
    done
    kill_containers
    sed -n 's#^[^ ]* [^ ]* [^ ]* [^ ]* \(/run/argosy/[^ ]*\|/var/lib/argosy/[^ ]*\) .*#\1#p' /proc/self/mountinfo | sort -r | while read -r mount; do
        umount -l "$mount" 2>/dev/null || true
    done
    ip link del argosy0 2>/dev/null || true
    identity=$(cut -c1-8 "$DATA/argosy-id" 2>/dev/null) || identity=''
    [ -z "$identity" ] || nft list tables 2>/dev/null | grep -F "argosy-$identity" | while read -r words; do
        # shellcheck disable=SC2086  # "table inet NAME"
        nft delete $words 2>/dev/null || true
    done
    rm -rf --one-file-system "$EXEC_ROOT"
    # The cgroup that containers are made in: it goes when no other daemon's are in it.
    find /sys/fs/cgroup -mindepth 1 -maxdepth 2 -type d -name argosy -exec rmdir {} \; 2>/dev/null || true
}
