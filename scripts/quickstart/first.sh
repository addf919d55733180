# shellcheck shell=sh disable=SC2034,SC2154
# The first images, one made of this machine's own busybox and one built on it from a Dockerfile, and the first container: a web page.

BASE=busybox:latest
IMAGE=hello:latest
CONTAINER=hello
FIRST_PORT=8080

argosy() { "$ROOT/.venv/bin/argosy" -H "unix://$SOCKET" "$@"; }

busybox_binary() {
    for file in /bin/busybox /usr/bin/busybox; do
        if [ -x "$file" ]; then
            printf '%s' "$file"
            return 0
        fi
    done
    die 'busybox is not there, though busybox-static is installed.'
}

# busybox_root FOLDER: a root filesystem of one program, every applet a link to it, as in the image of that name.
busybox_root() {
    mkdir -p "$1/bin" "$1/dev" "$1/etc" "$1/home" "$1/proc" "$1/root" "$1/sys" "$1/tmp" "$1/usr/bin" "$1/usr/sbin" "$1/var" "$1/www"
    chmod 700 "$1/root"
    chmod 1777 "$1/tmp"
    cp "$(busybox_binary)" "$1/bin/busybox"
    chmod 755 "$1/bin/busybox"
    for applet in $("$1/bin/busybox" --list); do [ "$applet" = busybox ] || ln -s busybox "$1/bin/$applet"; done
    printf 'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/www:/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n' >"$1/etc/passwd"
    printf 'root:x:0:\nwww-data:x:33:\nnogroup:x:65534:\n' >"$1/etc/group"
    printf '<!doctype html>\n<title>argosy</title>\n<h1>It works: this page comes from a container.</h1>\n' >"$1/www/index.html"
}

base_image() {
    if argosy image inspect "$BASE" >/dev/null 2>&1; then
        say "The image $BASE is there."
        return 0
    fi
    step "Making the image $BASE from $(busybox_binary)"
    folder=$(mktemp -d)
    busybox_root "$folder"
    tar -C "$folder" --numeric-owner --owner=0 --group=0 -cf - . |
        argosy import -c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' -c 'CMD ["sh"]' -m "made by quickstart" - "$BASE" >/dev/null ||
        { rm -rf "$folder"; die 'The image could not be imported.'; }
    rm -rf "$folder"
}

first_image() {
    base_image
    if argosy image inspect "$IMAGE" >/dev/null 2>&1; then
        say "The image $IMAGE is there."
        return 0
    fi
    step "Building the image $IMAGE from scripts/quickstart/hello/Dockerfile"
    argosy build -q -t "$IMAGE" "$ROOT/scripts/quickstart/hello" >/dev/null || die 'The image could not be built: the lines above say why; argosy doctor lists what this machine lacks.'
}

# Print the first port from $1 on that nobody listens on.
free_port() {
    "$ROOT/.venv/bin/python" -I -S -c 'import socket, sys
for port in range(int(sys.argv[1]), 65536):
    with socket.socket() as s:
        try:
            s.bind(("0.0.0.0", port))
        except OSError:
            continue
        print(port)
        break' "$1"
}

first_container() {
    if argosy inspect --type container "$CONTAINER" >/dev/null 2>&1; then
        argosy start "$CONTAINER" >/dev/null
        PORT=$(argosy port "$CONTAINER" 80 | sed -n '1s/.*://p')
        [ -n "$PORT" ] || die "A container named $CONTAINER is there, but it is not quickstart's: argosy rename $CONTAINER other, then run this again."
        say "The container $CONTAINER is there, published on port $PORT."
        return 0
    fi
    PORT=$FIRST_PORT
    for _ in 1 2 3 4 5; do
        PORT=$(free_port "$PORT")
        step "Running a web server in a container on port $PORT"
        # Between our look and the run somebody else may take the port: then the next one.
        if argosy run -d --name "$CONTAINER" --restart unless-stopped -p "$PORT:80" "$IMAGE" >/dev/null; then return 0; fi
        argosy rm -f "$CONTAINER" >/dev/null 2>&1 || true
        PORT=$((PORT + 1))
    done
    die 'The first container did not start: the lines above say why; argosy doctor lists what this machine lacks.'
}

# Over the network: by the machine's own address where it has one, not by loopback.
fetch_page() {
    ADDRESS=$(hostname -I 2>/dev/null | cut -d' ' -f1)
    case $ADDRESS in '' | *:*) ADDRESS=127.0.0.1 ;; esac
    step "Fetching http://$ADDRESS:$PORT/"
    "$ROOT/.venv/bin/python" -I -S -c 'import sys, time, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
for attempt in range(50):
    try:
        page = opener.open(sys.argv[1], timeout=5).read().decode()
        break
    except OSError as error:
        reason = error
        time.sleep(0.1)
else:
    sys.exit(f"no answer: {reason}")
sys.stdout.write(page)
sys.exit("from a container" not in page)' "http://$ADDRESS:$PORT/" || die "The page could not be fetched: argosy logs $CONTAINER; argosy doctor."
}

closing_words() {
    if has_systemd; then where='systemctl status argosyd, journalctl -u argosyd'; else where="pid $(cat "$PIDFILE" 2>/dev/null), log $LOG"; fi
    cat <<EOF

argosyd runs ($where), on $SOCKET; everything it keeps is under $DATA.
A container named $CONTAINER serves http://$ADDRESS:$PORT/.

Try next:
  argosy ps
  argosy run -it --rm $BASE sh
  argosy build -t hello $ROOT/scripts/quickstart/hello    after a change of the page or of the Dockerfile there
  argosy image bootstrap debian:bookworm                  Debian as an image, by debootstrap
  argosy logs $CONTAINER; argosy exec $CONTAINER ps; argosy rm -f $CONTAINER
  argosy doctor                       what this machine offers, and what is missing
  export DOCKER_HOST=unix://$SOCKET   docker, docker compose and docker-py talk to argosyd
  ./quickstart --remove               takes it all away again
EOF
}
