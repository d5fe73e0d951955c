#!/bin/sh
# Proves that lockstep and the other readers and writers of its formats agree: every check of this directory, in turn.
#
#   Tests/interop/run.sh [LOCKSTEP] [--quick]
#
# LOCKSTEP is the program to test, by default that of the release build. The library ArrowRoundTrip is looked for beside it,
# or where ARROW_ROUND_TRIP says. PYTHON names a Python that has requirements.txt installed; without it an environment is
# made once in the user's cache, outside the repository. Spark needs Java. All of it takes some twenty minutes,
# and a sample (--quick) some four.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
lockstep=$here/../../.build/release/lockstep
case ${1:-} in
"" | --*) ;;
*)
    lockstep=$1
    shift
    ;;
esac
if [ ! -x "$lockstep" ]; then
    echo "there is no program '$lockstep'; build it with: swift build -c release" >&2
    exit 2
fi
library=${ARROW_ROUND_TRIP:-$(dirname "$lockstep")/libArrowRoundTrip.so}
if [ ! -e "$library" ]; then
    echo "there is no library '$library' for the Arrow C data interface; build its product ArrowRoundTrip" >&2
    exit 2
fi
if [ -z "${PYTHON:-}" ]; then
    environment=${XDG_CACHE_HOME:-$HOME/.cache}/lockstep/interop-$(cksum <"$here/requirements.txt" | cut -d ' ' -f 1)
    PYTHON=$environment/bin/python
    if [ ! -e "$environment/complete" ]; then
        python3 -m venv "$environment"
        "$PYTHON" -m pip install --quiet --requirement "$here/requirements.txt"
        touch "$environment/complete"
    fi
fi
if ! command -v java >/dev/null; then
    echo "there is no Java, which Spark needs; install version 17 or later" >&2
    exit 2
fi
status=0
"$PYTHON" -B "$here/formats.py" --lockstep "$lockstep" --spark "$@" || status=1
"$PYTHON" -B "$here/fuzz.py" --lockstep "$lockstep" || status=1
"$PYTHON" -B "$here/arrow_c_data.py" "$library" || status=1
exit $status
