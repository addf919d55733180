# shellcheck shell=sh
# Shared by ./quickstart and ./test: what this machine is, Debian packages without surprises, the newest Python, .venv from the lock.
# POSIX sh, so that a machine without bash is still told what it lacks. Set ROOT (the checkout) before sourcing.

say() { printf '%s\n' "$*"; }
step() { printf '==> %s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
die() {
    printf '%s\n' "$*" >&2
    exit 1
}

# ------------------------------------------------------------------ what this machine is

WANTED='python3 (3.11 to 3.14) with venv, git, ca-certificates, libnftables 1, libseccomp 2, a static busybox, kmod'

need_root() {
    [ "$(id -u)" = 0 ] || die "$1 needs root: run it as root, or with sudo."
}

check_system() {
    for loader in /lib/ld-musl-*; do
        [ ! -e "$loader" ] || die "This system is built on musl, and argosy's dependencies are built for glibc: use Debian 12 or 13, or Ubuntu 24.04."
    done
    ID='' VERSION_ID='' PRETTY_NAME=''
    # shellcheck source=/dev/null
    [ ! -r /etc/os-release ] || . /etc/os-release
    case $ID:$VERSION_ID in
    debian:12 | debian:13 | ubuntu:24.04 | ubuntu:24.10 | ubuntu:25.* | ubuntu:26.*) ;;
    *) die "${PRETTY_NAME:-This system} is not Debian 12, Debian 13 or Ubuntu 24.04: install $WANTED by hand, then: python3 -m venv .venv && .venv/bin/pip install --require-hashes -r requirements/runtime.txt && .venv/bin/pip install --no-deps --no-build-isolation -e ." ;;
    esac
    case $(uname -m) in
    x86_64 | aarch64) ;;
    *) die "The dependencies are locked for x86-64 and aarch64, and this machine is $(uname -m)." ;;
    esac
}

# ------------------------------------------------------------------ Debian packages

# A package that is installed may start services unless /usr/sbin/policy-rc.d says no (see policy-rc.d(8) of Debian Policy 9.3.3).
POLICY=/usr/sbin/policy-rc.d
POLICY_SAVED=$POLICY.before-argosy
POLICY_MARK='# argosy: nothing starts while its packages are installed'

forbid_services() {
    allow_services
    if [ -e "$POLICY" ] || [ -L "$POLICY" ]; then mv "$POLICY" "$POLICY_SAVED"; fi
    printf '#!/bin/sh\n%s\nexit 101\n' "$POLICY_MARK" >"$POLICY"
    chmod 755 "$POLICY"
}

# Also mends what a run that was killed left behind: ours is known by its mark, the one before ours by its name.
allow_services() {
    if [ -f "$POLICY" ] && grep -qxF "$POLICY_MARK" "$POLICY"; then rm -f "$POLICY"; fi
    if [ ! -e "$POLICY_SAVED" ] && [ ! -L "$POLICY_SAVED" ]; then return 0; fi
    if [ -e "$POLICY" ]; then rm -f "$POLICY_SAVED"; else mv "$POLICY_SAVED" "$POLICY"; fi
}

installed_packages() {
    dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sort -u
}

missing_packages() {
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || printf '%s\n' "$package"
    done
}

quiet_apt() {
    DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none \
        apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0 "$@" </dev/null
}

apt_update() {
    [ -z "${APT_UPDATED:-}" ] || return 0
    step 'apt-get update'
    # A third party's list that cannot be fetched is no reason to stop: the installation tells whether it matters.
    quiet_apt update || warn 'apt-get update failed for some lists'
    APT_UPDATED=1
}

# apt_install PACKAGE...: those that are missing, without a prompt, starting nothing. The names of all that came new
# (dependencies too) are added to the file $NEW_PACKAGES when it is set.
apt_install() {
    missing=$(missing_packages "$@" | tr '\n' ' ')
    [ -n "${missing% }" ] || return 0
    need_root "Installing ${missing% }"
    apt_update
    step "apt-get install ${missing% }"
    scratch=$(mktemp -d)
    installed_packages >"$scratch/before"
    status=0
    (
        trap allow_services EXIT
        trap 'exit 130' HUP INT TERM
        forbid_services
        # shellcheck disable=SC2086  # a list of names
        quiet_apt install -y --no-install-recommends $missing
    ) >"$scratch/log" 2>&1 || status=$?
    installed_packages >"$scratch/after"
    [ -z "${NEW_PACKAGES:-}" ] || comm -13 "$scratch/before" "$scratch/after" >>"$NEW_PACKAGES"
    [ "$status" = 0 ] || tail -n 15 "$scratch/log" >&2
    rm -rf "$scratch"
    [ "$status" = 0 ] || die "apt-get could not install ${missing% }: the lines above say why."
}

# ------------------------------------------------------------------ Python

# Print "MINOR PATH" of an interpreter that we can use, nothing otherwise. Asked of the program itself: names may lie.
python_version() {
    timeout 10 "$1" -I -S -c 'import sys
if sys.implementation.name == "cpython" and (3, 11) <= sys.version_info[:2] <= (3, 14) and sys.version_info.releaselevel == "final":
    print(sys.version_info[1], sys.executable)' 2>/dev/null </dev/null || true
}

# Print the newest suitable Python that the system has. Not the first on PATH: that may be a shim, or of one user only.
find_python() {
    for candidate in /usr/bin/python3.1[1-4] /usr/local/bin/python3.1[1-4] /usr/bin/python3; do
        [ ! -x "$candidate" ] || python_version "$candidate"
    done | sort -rn -s -k1,1 | sed -n '1s/^[0-9]* //p'
}

# The package that carries ensurepip for the system's Python, where it is not there already.
venv_package() {
    "$1" -I -c 'import ensurepip, venv' 2>/dev/null && return 0
    "$1" -I -S -c 'import sys; print(f"python3.{sys.version_info[1]}-venv")'
}

require_python() {
    PYTHON=$(find_python)
    [ -n "$PYTHON" ] || die "No Python from 3.11 to 3.14 in /usr/bin: install one (apt-get install python3) and run this again."
}

# ------------------------------------------------------------------ .venv

lock_digest() {
    cat "$@" "$ROOT/pyproject.toml" | sha256sum | cut -c1-32
}

venv_is_usable() {
    [ -x "$ROOT/.venv/bin/python" ] || return 1
    # A checkout that was moved carries scripts with the old path.
    head -n 1 "$ROOT/.venv/bin/pip" 2>/dev/null | grep -qF "$ROOT/.venv/" || return 1
    [ "$("$ROOT/.venv/bin/python" -I -S -c 'import sys; print(*sys.version_info[:3])' 2>/dev/null)" = "$("$PYTHON" -I -S -c 'import sys; print(*sys.version_info[:3])')" ]
}

# What pip says is shown when it fails: its warnings about one index of several are noise otherwise.
quiet_pip() {
    "$ROOT/.venv/bin/python" -m pip --disable-pip-version-check --no-input install --quiet --root-user-action=ignore \
        --no-deps --no-build-isolation "$@" </dev/null >"$ROOT/.venv/pip.log" 2>&1 || { tail -n 30 "$ROOT/.venv/pip.log" >&2; return 1; }
}

# make_venv runtime|dev: .venv with the newest Python and exactly what the lock says; nothing is done when that is so already.
make_venv() {
    if ! venv_is_usable; then
        step ".venv with $("$PYTHON" -V)"
        rm -rf "$ROOT/.venv"
        "$PYTHON" -I -m venv "$ROOT/.venv" || die "python3 -m venv failed: install $(venv_package "$PYTHON")"
    fi
    make_set runtime "$ROOT/requirements/runtime.txt"
    [ "$1" != dev ] || make_set dev "$ROOT/requirements/runtime.txt" "$ROOT/requirements/dev.txt"
    if [ "$(cat "$ROOT/.venv/.argosy-self" 2>/dev/null)" != "$(lock_digest)" ]; then
        quiet_pip --no-index --editable "$ROOT" || die 'Installing argosy into .venv failed.'
        lock_digest >"$ROOT/.venv/.argosy-self"
    fi
}

make_set() {
    name=$1
    shift
    [ "$(cat "$ROOT/.venv/.argosy-$name" 2>/dev/null)" != "$(lock_digest "$@")" ] || return 0
    step "Python packages of requirements/$name.txt"
    # Without a resolver and without build isolation: the lock says everything, and nothing that is not in it is fetched.
    quiet_pip --require-hashes -r "$ROOT/requirements/$name.txt" || die "pip could not install requirements/$name.txt (the lines above say why)."
    lock_digest "$@" >"$ROOT/.venv/.argosy-$name"
}
