# shellcheck shell=sh disable=SC2034,SC2154
# The parts of ./test: what each needs of Debian, and how it is run. Each leaves its output in $STATE/PART.log.

# shellcheck disable=SC2086  # lists of names
install_for() {
    wanted="ca-certificates $(venv_package "$PYTHON")"
    for part in "$@"; do
        case $part in
        checks) wanted="$wanted git shellcheck" ;;
        unit | contract) wanted="$wanted libnftables1 libseccomp2" ;;
        root | faults | hosts | docs | compat)
            wanted="$wanted git kmod iproute2 nftables libnftables1 libseccomp2 busybox-static bind9-dnsutils procps"
            ;;
        vm) wanted="$wanted qemu-system-x86 qemu-utils debootstrap e2fsprogs cpio busybox-static" ;;
        examples) wanted="$wanted iproute2 nftables libnftables1 libseccomp2 debootstrap busybox-static" ;;
        bare) wanted="$wanted debootstrap iproute2" ;;
        esac
        case $part in docs) wanted="$wanted curl debootstrap" ;; compat) wanted="$wanted debootstrap" ;; esac
        case $part in hosts | root) wanted="$wanted runc crun iptables podman conmon btrfs-progs e2fsprogs fuse-overlayfs" ;; esac
        case $part in root) wanted="$wanted docker-registry skopeo curl e2fsprogs" ;; esac
    done
    if [ "$(id -u)" = 0 ]; then
        apt_install $wanted
    else
        missing=$(missing_packages $wanted | tr '\n' ' ')
        [ -z "${missing% }" ] || warn "not root, so these stay missing and some tests are skipped: ${missing% }"
    fi
}

# One value for the files as they are now, committed or not: what passed on it need not run again.
tree_digest() {
    { git ls-files -z -co --exclude-standard 2>/dev/null || find . -type f -not -path './.venv/*' -not -path './.test-state/*' -print0; } |
        sort -z | xargs -0 sha256sum 2>/dev/null | sha256sum | cut -c1-32
}

closing_line() {
    grep -xE '[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?' "$STATE/$1.log" | tail -n 1
}

# run_logged PART COMMAND...: the output goes to the terminal and to the part's log; the status is the command's.
run_logged() {
    log=$STATE/$1.log
    shift
    { { "$@" 2>&1; echo $? >"$log.status"; } | tee "$log"; } </dev/null
    status=$(cat "$log.status")
    rm -f "$log.status"
    return "$status"
}

# pytest_part PART ARGUMENT...: pytest with JUnit results, then the closing line. Tests that passed on these files are not run again
# when a run of --all was broken off.
pytest_part() {
    part=$1
    shift
    export PYTHONDONTWRITEBYTECODE=1
    [ -z "$ALL" ] || export ARGOSY_TEST_RESUME="$STATE/$part.$TREE.done"
    rm -f "$STATE/$part.xml"
    .venv/bin/python -m pytest --junitxml="$STATE/$part.xml" -rfE "$@" || true
    PYTHONPATH=tests .venv/bin/python -m support.results "$STATE/$part.xml"
}

module_part() {
    PYTHONPATH=tests PYTHONDONTWRITEBYTECODE=1 .venv/bin/python -m "$@"
}

# Two workers where tests touch nothing outside their own folders.
unit_part() { pytest_part unit -n 2 --dist loadfile tests/unit "$@"; }
root_part() { pytest_part root -p no:xdist tests/integration "$@"; }
contract_part() { pytest_part contract -n 2 --dist loadfile tests/contract "$@"; }
docs_part() { pytest_part docs -p no:xdist tests/docs "$@"; }
faults_part() { pytest_part faults -p no:xdist --timeout 1800 tests/faults "$@"; }
hosts_part() { pytest_part hosts -p no:xdist --timeout 900 tests/hosts "$@"; }
examples_part() { pytest_part examples -p no:xdist --timeout 1800 tests/examples "$@"; }
vm_part() { pytest_part vm -p no:xdist --timeout 3600 tests/vm "$@"; }
bare_part() { module_part bare.run; }
checks_part() { .venv/bin/python scripts/checks.py; }

# In the default run only what takes a minute or two: the tour of the docker CLI. Named, docker-py's own tests too.
compat_part() {
    if [ -n "$QUICK" ]; then set -- -m 'not slow' "$@"; fi
    pytest_part compat -p no:xdist --timeout 1800 tests/compat "$@"
}

run_part() {
    name=$1
    shift
    run_logged "$name" "${name}_part" "$@"
}
