#!/usr/bin/env bash
# Puts the Hugging Face hub's library into .parts/ (ignored by git) in the two versions that users
# have, whichever the environment holds. What is there in its locked version is left alone.
set -euo pipefail

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
PYTHON=${PYTHON:-python3}

for version in 0 2; do
    lock=$ROOT/requirements/hub-$version.txt
    target=$ROOT/.parts/huggingface_hub-$version
    cmp -s "$lock" "$target/lock.txt" && continue
    rm -rf "$target"
    "$PYTHON" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
        --only-binary :all: --target "$target" -r "$lock"
    cp "$lock" "$target/lock.txt"
done
