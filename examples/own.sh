# shellcheck shell=sh disable=SC2034
# An argosyd of an example's own, and another machine to fetch from. Sourced by the run scripts, which set EXAMPLE and call begin, then finish.
#
#   begin "$@"         root, options, a daemon with data root, socket and bridge of its own, on this machine's network; taken away at the end
#   base_image         debian:$SUITE, made by argosy image bootstrap on first use, then taken from the test cache
#   fetch URL WORD     prints a page fetched from another machine (a network namespace behind a veth pair); WORD has to be in it
#   finish             ends well; with --keep the daemon stays

HERE=$(cd "$(dirname "$0")/../.." && pwd)
SUITE=${SUITE:-bookworm}
PORT=${PORT:-8080}
NAME=$EXAMPLE-$$
RUN=/run/argosy-$NAME
CACHE=${ARGOSY_TEST_CACHE:-/var/tmp/argosy-test-cache}
PATH=$HERE/.venv/bin:$PATH
export ARGOSY_HOST="unix://$RUN/argosy.sock"

step() { printf '\n==> %s\n' "$*"; }

clean() {
    status=$?
    trap - EXIT HUP INT TERM
    [ "$status" = 0 ] || tail -n 30 "$WORK/argosyd.log" 2>/dev/null || true
    ids=$(argosy ps -aq 2>/dev/null || true)
    # shellcheck disable=SC2086
    [ -z "$ids" ] || argosy rm -f $ids >/dev/null 2>&1 || true
    pid=$(cat "$RUN/argosyd.pid" 2>/dev/null || true)
    [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
    ip link del "h$$" 2>/dev/null || true
    ip netns del "$NAME" 2>/dev/null || true
    for _ in $(seq 100); do
        if [ -z "$pid" ] || [ ! -d "/proc/$pid" ]; then break; fi
        sleep 0.1
    done
    # What outlives the daemon by design holds files under its exec root.
    for fd in /proc/[0-9]*/fd/*; do
        case $(readlink "$fd" 2>/dev/null) in "$RUN"/* | "$WORK"/*) kill -KILL "$(echo "$fd" | cut -d/ -f3)" 2>/dev/null || true ;; esac
    done
    sed -n 's#^[^ ]* [^ ]* [^ ]* [^ ]* \([^ ]*\) .*#\1#p' /proc/self/mountinfo | grep -e "^$RUN/" -e "^$WORK/" | sort -r | while read -r mount; do umount -l "$mount" || true; done
    ip link del "arg$$" 2>/dev/null || true
    identity=$(cut -c1-8 "$WORK/data/argosy-id" 2>/dev/null || true)
    [ -z "$identity" ] || nft list tables | grep -F "argosy-$identity" | while read -r table; do
        # shellcheck disable=SC2086 # "table inet NAME"
        nft delete $table || true
    done
    rm -rf --one-file-system "$RUN" "$WORK"
    exit "$status"
}

# Two networks that this machine does not have: for the containers, and for the wire to the other machine.
free_network() {
    for network in "$@"; do
        if ! ip -4 route show | grep -q "^$network\.0/"; then
            echo "$network"
            return 0
        fi
    done
    echo "None of these networks is free: $*" >&2
    exit 1
}

begin() {
    [ "$(id -u)" = 0 ] || { echo "examples/$EXAMPLE/run needs root." >&2; exit 1; }
    KEEP=${1:-}
    WORK=$(mktemp -d "/var/tmp/argosy-$NAME.XXXXXX")
    trap clean EXIT
    trap 'exit 130' HUP INT TERM
    mkdir -p "$RUN" "$CACHE"
    step "argosyd with a data root, a socket and a bridge of its own"
    # Another example may look for one at the same time: it waits until this one is taken.
    exec 9<"$CACHE"
    flock 9
    INNER=$(free_network 10.212.0 10.212.1 10.212.2 10.212.3 10.212.4 10.212.5)
    ip link add "arg$$" type bridge
    ip addr add "$INNER.1/24" dev "arg$$"
    ip link set "arg$$" up
    exec 9<&-
    # shellcheck disable=SC2086 # words
    setsid argosyd --data-root "$WORK/data" --exec-root "$RUN/exec" --pidfile "$RUN/argosyd.pid" -H "$ARGOSY_HOST" \
        --bridge "arg$$" >"$WORK/argosyd.log" 2>&1 </dev/null &
    for _ in $(seq 100); do argosy version >/dev/null 2>&1 && break; sleep 0.2; done
    argosy version --format '{{.Server.Version}}'
}

base_image() {
    image=$CACHE/image-$SUITE.tar
    if [ -e "$image" ]; then
        step "debian:$SUITE, made by an earlier run"
        argosy load -q -i "$image"
        return 0
    fi
    step "argosy image bootstrap debian:$SUITE"
    argosy image bootstrap ${MIRROR:+--mirror "$MIRROR"} "debian:$SUITE"
    argosy save -o "$image.$$" "debian:$SUITE"
    mv "$image.$$" "$image"
}

# fetch URL WORD: HOST in the URL is this machine, as the other one sees it.
fetch() {
    step "$1, fetched from another machine: a network namespace behind a veth pair"
    if [ ! -e "/run/netns/$NAME" ]; then
        exec 9<"$CACHE"
        flock 9
        WIRE=$(free_network 198.51.100 203.0.113 192.0.2) # for documentation and examples (RFC 5737)
        ip netns add "$NAME"
        ip link add "h$$" type veth peer name eth0 netns "$NAME"
        ip addr add "$WIRE.1/24" dev "h$$"
        ip link set "h$$" up
        exec 9<&-
        ip -n "$NAME" addr add "$WIRE.2/24" dev eth0
        ip -n "$NAME" link set eth0 up
    fi
    nsenter "--net=/run/netns/$NAME" "$HERE/.venv/bin/python" -I -S -c 'import sys, time, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
for attempt in range(100):
    try:
        page = opener.open(sys.argv[1], timeout=5).read().decode()
        break
    except OSError as error:
        reason = error
        time.sleep(0.1)
else:
    sys.exit(f"no answer: {reason}")
print(page, end="" if page.endswith("\n") else "\n")
sys.exit(0 if sys.argv[2] in page else f"{sys.argv[2]!r} is not in it")' "$(printf '%s' "$1" | sed "s/HOST/$WIRE.1/")" "$2"
}

finish() {
    [ "$KEEP" = --keep ] || return 0
    trap - EXIT
    printf '\nStill running: export ARGOSY_HOST=%s\n' "$ARGOSY_HOST"
}

# The certificate authorities that this machine trusts: more than an image's own where a proxy signs what passes through it.
AUTHORITIES=/etc/ssl/certs/ca-certificates.crt

# pip_settings FILE: what this machine's pip knows about ways to packages that a container can go too.
pip_settings() {
    printf '[global]\n' >"$1"
    chmod 600 "$1"
    python3 -m pip config list 2>/dev/null |
        sed -n "s/^\(global\|install\|:env:\)\.\(index-url\|extra-index-url\|trusted-host\|proxy\)='\(.*\)'\$/\2 = \3/p" |
        grep -v ' = file:' >>"$1" || true
}

# npm_settings FILE: the registry, proxies and logins of this machine's npm.
npm_settings() {
    : >"$1"
    chmod 600 "$1"
    grep -hE '^(@[^:]*:)?registry *=|_auth|^(https?-)?proxy *=' /etc/npmrc "$HOME/.npmrc" >>"$1" 2>/dev/null || true
    if command -v npm >/dev/null; then printf 'registry=%s\n' "$(npm config get registry 2>/dev/null)" >>"$1"; fi
}
