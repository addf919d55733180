# shellcheck shell=sh disable=SC2034,SC2154
# What quickstart changed, one file a kind under $RECORD, and how each of it is taken back.

RECORD=/var/lib/argosy-quickstart
DATA=/var/lib/argosy
NEW_PACKAGES=$RECORD/packages
# What argosyd sets on the host's own network while it runs; the values before are put back.
SETTINGS='net.ipv4.ip_forward net.ipv6.conf.all.forwarding net.ipv6.conf.default.forwarding'

setting_file() { printf '/proc/sys/%s' "$(printf '%s' "$1" | tr . /)"; }

begin_record() {
    mkdir -p "$RECORD"
    chmod 700 "$RECORD"
    [ -e "$RECORD/data-root" ] || { if [ -e "$DATA" ]; then say kept; else say made; fi >"$RECORD/data-root"; }
    if [ ! -e "$RECORD/settings" ]; then
        for setting in $SETTINGS; do
            file=$(setting_file "$setting")
            [ ! -r "$file" ] || printf '%s %s\n' "$setting" "$(cat "$file")"
        done >"$RECORD/settings.new"
        mv "$RECORD/settings.new" "$RECORD/settings"
    fi
}

note() { grep -qxF "$2" "$RECORD/$1" 2>/dev/null || printf '%s\n' "$2" >>"$RECORD/$1"; }

link_programs() {
    for program in $PROGRAMS; do
        link=/usr/local/bin/$program
        [ -x "$ROOT/.venv/bin/$program" ] || die "$ROOT/.venv/bin/$program is missing: remove .venv and run this again."
        if [ -e "$link" ] && [ ! -L "$link" ]; then die "$link is there and is no link of ours: move it away and run this again."; fi
        mkdir -p /usr/local/bin
        note links "$link"
        ln -sfn "$ROOT/.venv/bin/$program" "$link"
    done
}

each_recorded() {
    [ ! -e "$RECORD/$1" ] || sort -u "$RECORD/$1"
}

wants_purge() {
    [ -z "$PURGE" ] || return 0
    [ -d "$DATA" ] || return 1
    [ "$(cat "$RECORD/data-root" 2>/dev/null)" = made ] && [ -t 0 ] || return 1
    printf 'Delete %s with all images, containers and volumes? [y/N] ' "$DATA"
    read -r answer
    case $answer in [yY]*) return 0 ;; *) return 1 ;; esac
}

remove_all() {
    [ -d "$RECORD" ] || die "There is nothing to remove: $RECORD does not exist."
    allow_services
    purge=no
    if wants_purge; then purge=yes; fi
    remove_containers
    stop_daemon
    each_recorded links | while read -r link; do
        case $(readlink "$link" 2>/dev/null) in */.venv/bin/*) rm -f "$link" ;; esac
    done
    if [ "$purge" = yes ]; then
        rm -rf --one-file-system "$DATA"
        say "Deleted $DATA."
    elif [ -d "$DATA" ]; then
        say "Kept $DATA (images, volumes): ./quickstart --remove --purge deletes it."
    fi
    each_recorded settings | while read -r setting value; do
        file=$(setting_file "$setting")
        [ "$(cat "$file" 2>/dev/null)" = "$value" ] || printf '%s\n' "$value" >"$file" || warn "$setting could not be set back to $value"
    done
    each_recorded modules | while read -r module; do modprobe -q -r "$module" 2>/dev/null || true; done
    each_recorded groups | while read -r group; do groupdel "$group" 2>/dev/null || true; done
    packages=$(each_recorded packages | tr '\n' ' ')
    rm -rf "$ROOT/.venv"
    if [ -n "${packages% }" ]; then
        step "apt-get purge ${packages% }"
        # shellcheck disable=SC2086  # a list of names
        purge_packages $packages
    fi
    whose=$(cat "$RECORD/data-root" 2>/dev/null) || whose=kept
    rm -rf "$RECORD"
    if [ -d "$DATA" ]; then
        # For a later --remove --purge; the rest is written down anew when quickstart runs again.
        mkdir -p "$RECORD"
        say "$whose" >"$RECORD/data-root"
    fi
    say 'Removed.'
}

# Only what came new with us, and only where nothing else that is installed has come to need it: apt-get would take that away too.
purge_packages() {
    wanted=''
    for package in "$@"; do [ -n "$(missing_packages "$package")" ] || wanted="$wanted $package"; done
    while [ -n "${wanted# }" ]; do
        # shellcheck disable=SC2086
        others=$(LC_ALL=C apt-get -s purge $wanted 2>/dev/null | sed -n 's/^\(Purg\|Remv\) \([^ ]*\) .*/\2/p' | sort -u)
        kept=''
        extra=no
        for package in $others; do case " $wanted " in *" $package "*) ;; *) extra=$package ;; esac; done
        [ "$extra" != no ] || break
        for package in $wanted; do
            if LC_ALL=C apt-get -s purge "$package" 2>/dev/null | grep -qE "^(Purg|Remv) $extra "; then warn "$package stays: $extra needs it"; else kept="$kept $package"; fi
        done
        [ "$kept" != "$wanted" ] || return 0
        wanted=$kept
    done
    # shellcheck disable=SC2086
    [ -z "${wanted# }" ] || quiet_apt purge -y $wanted >/dev/null || warn "apt-get could not remove:$wanted"
}
