#!/bin/sh
# Installs what Lockstep needs from the system's packages and checks the toolchain. Changes nothing when all is there.
#
#     scripts/setup.sh               packages and toolchain
#     scripts/setup.sh --packages    packages only: what an administrator runs for an ordinary user
set -eu

say() { printf '%s\n' "$*" >&2; }

case "${1:-}" in
"" | --packages) ;;
*)
    say "usage: scripts/setup.sh [--packages]"
    exit 2
    ;;
esac

# What a package gives is looked for, not its name, so that one from elsewhere counts too.
has_program() { command -v "$1" >/dev/null 2>&1; }
has_library() { pkg-config --exists "$1" 2>/dev/null; }
has_server() {
    for directory in "$(pg_config --bindir 2>/dev/null || true)" /usr/lib/postgresql/*/bin; do
        if [ -x "$directory/initdb" ] && [ -x "$directory/pg_ctl" ] && [ -x "$directory/postgres" ]; then return 0; fi
    done
    has_program initdb && has_program pg_ctl && has_program postgres
}
has_pip() {
    python3 -m pip --version >/dev/null 2>&1 || /usr/bin/python3 -m pip --version >/dev/null 2>&1
}

missing=""
need() { missing="${missing:+$missing }$1"; }

has_program git || need git
has_program make || need make
has_program pkg-config || need pkg-config
has_library libpq || need libpq-dev
has_library openblas || need libopenblas-dev
has_library liblz4 || need liblz4-dev
has_library snappy || need libsnappy-dev
has_library libzstd || need libzstd-dev
has_library zlib || need zlib1g-dev
[ -e /usr/share/zoneinfo/America/New_York ] || need tzdata
has_server || need postgresql
has_program python3 || need python3
has_pip || need python3-pip # the example downloads its data with it, the tests an S3 server

install() {
    $root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@" >&2
}

# Debian's package starts a server of its own on a machine that has none. Lockstep starts one where it needs one, so it
# is told not to while it is installed; clusters that exist stay as they are.
install_server() {
    install postgresql-common
    setting=/etc/postgresql-common/createcluster.d/lockstep.conf
    $root mkdir -p /etc/postgresql-common/createcluster.d
    $root sh -c "echo 'create_main_cluster = false' >$setting"
    status=0
    install postgresql || status=$?
    $root rm -f "$setting"
    return "$status"
}

if [ -n "$missing" ]; then
    if ! has_program apt-get; then
        say "Lockstep needs what these Debian packages give: $missing"
        say "There is no apt-get here; install them with the system's own package manager, then try again."
        exit 1
    fi
    if [ "$(id -u)" = 0 ]; then
        root=""
    elif has_program sudo && sudo -n true 2>/dev/null; then
        root="sudo"
    else
        script=$(cd "$(dirname "$0")" && pwd)/setup.sh
        say "Lockstep needs packages that are not here ($missing), and you may not install them."
        say "Run this once, or have it run, and try again:"
        say ""
        if has_program sudo; then say "    sudo '$script' --packages"; else say "    su -c \"'$script' --packages\""; fi
        say ""
        exit 1
    fi
    say "installing: $missing"
    $root apt-get update -q >&2
    others=""
    for package in $missing; do
        if [ "$package" = postgresql ]; then install_server; else others="$others $package"; fi
    done
    # shellcheck disable=SC2086 # one argument for each package
    if [ -n "$others" ]; then install $others; fi
fi

if [ "${1:-}" = --packages ]; then exit 0; fi

wanted="6.3"
if ! has_program swift; then
    say "There is no Swift toolchain on PATH; install Swift $wanted or newer: https://www.swift.org/install/linux/"
    exit 1
fi
version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9]*\.[0-9][0-9]*\).*/\1/p' | head -n 1)
major=${version%%.*}
minor=${version#*.}
if [ -z "$version" ] || [ "$major" -lt 6 ] || { [ "$major" -eq 6 ] && [ "$minor" -lt 3 ]; }; then
    say "Lockstep needs Swift $wanted or newer, found '${version:-unknown}' at $(command -v swift);" \
        "install a newer one: https://www.swift.org/install/linux/"
    exit 1
fi
