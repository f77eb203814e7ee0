#!/bin/sh
# make_venv.sh FOLDER LOCK: a virtual environment with what LOCK names, wheels only.
set -eu

folder=$1
lock=$2

find_python() {
    for name in python3.13 python3.12 python3.11 python3 python3.14 python; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    echo "OnCue needs Python 3.11 or newer, and found none: install python3.11" >&2
    exit 1
}

if ! "$folder/bin/python" -m pip --version >/dev/null 2>&1; then
    python=$(find_python)
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        echo "$python lacks venv: install it first, on Debian: apt-get install python$version-venv" >&2
        exit 1
    fi
    "$python" -m venv "$folder"
fi
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check \
    --only-binary :all: --require-hashes -r "$lock"
