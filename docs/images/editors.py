"""Make the pictures of the editors again: real ones, with an example draft.

Run from the repository's root, after `tests/editors/install.sh` with nothing, `debian` and
`pictures`, in an environment with the extras `train`, `lsp` and `editors`, and Pillow:

    python docs/images/editors.py [vscode] [neovim] [emacs] [kate]
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from rich.text import Text

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "tests/editors")]

import make  # noqa: E402
from code_server import code_server  # noqa: E402 - found on the path above
from editor_project import Project, program  # noqa: E402
from terminal import Terminal, terminal  # noqa: E402
from waiting import until  # noqa: E402
from workbench import Workbench, chromium  # noqa: E402

BRAND = "quillpot"
DRAFT = ROOT / "examples/drafts/quillpot-tax-season.md"
HARNESSES = "Quillpot harnesses real-time"
SIZE = {"columns": make.COLUMNS, "lines": 26}
LARGEST = 200_000
"""Bytes of a picture; they are fetched by everybody who reads the page."""
KATE = """
[General]
Startup Session=new
[Kate Plugins]
lspclientplugin=true
[lspclient]
AllowedServerCommandLines={server}
Diagnostics=true
DiagnosticsHighlight=true
DiagnosticsMark=true
"""
LOOK = {
    "breadcrumbs.enabled": False,
    "editor.fontFamily": "DejaVu Sans Mono",
    "editor.fontSize": 14,
    "editor.glyphMargin": False,
    "editor.hover.above": False,
    "editor.lineHeight": 1.6,
    "editor.occurrencesHighlight": "off",
    "editor.renderLineHighlight": "none",
    "editor.renderWhitespace": "none",
    "window.commandCenter": False,
    "window.menuBarVisibility": "hidden",
    "workbench.layoutControl.enabled": False,
    "workbench.colorTheme": "Default Light Modern",
}


def project(folder: Path) -> Project:
    """Make a project with the example's voices and draft."""
    made = Project(folder / "tax-season", folder / "home")
    made.home.mkdir()
    made.folder.mkdir()
    shutil.copy(DRAFT, made.folder / "draft.md")
    (made.folder / "onbrand.toml").write_text(
        f'root = true\nbrand = "{BRAND}"\nvoices = ["voices"]\n'
    )
    train = ["train", ROOT / "examples/brands", "-o", made.folder / "voices"]
    command = [sys.executable, "-m", "onbrand", *train]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own program
    return made


def save(name: str, png: bytes) -> None:
    """Write a picture with a palette of its own, which takes a third of the room."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    palette = image.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    target = HERE / f"{name}.png"
    palette.save(target, optimize=True)
    if target.stat().st_size > LARGEST:
        sys.exit(f"{target.name} is larger than {LARGEST // 1000} kB")


def vscode(made: Project) -> None:
    """Take VS Code with findings, hover, quick fixes and side panel."""
    with code_server(made, settings=LOOK) as server, chromium(scale=1.5) as page:
        window = Workbench(page, server)
        window.open(made.folder, made.draft)
        page.keyboard.press("Control+b")  # the side bar
        until(lambda: len(window.squiggles()) > 1, "the findings")
        until(lambda: BRAND in window.status().inner_text(), "the verdict")

        page.mouse.move(700, 10)  # where nothing changes its looks below the pointer

        def take(name: str) -> None:
            page.locator(".codelens-decoration", has_text=f"{BRAND}: P").wait_for()
            save(name, page.screenshot())

        window.cursor_to(HARNESSES)
        window.problems().nth(1).wait_for()
        page.keyboard.press("Control+1")
        take("vscode")
        page.keyboard.press("Control+j")

        window.cursor_to(HARNESSES)
        window.command("Show or Focus Hover")
        page.locator(".monaco-hover:visible", has_text="Nearest on-brand").first.wait_for()
        take("vscode-hover")
        page.keyboard.press("Escape")

        window.cursor_to(HARNESSES)
        window.code_actions()
        take("vscode-quickfix")
        page.keyboard.press("Escape")

        window.command("Show the Verdict on This Draft")
        window.widen_side_bar(150)
        sentences = page.locator(".pane", has_text="Worst Sentences")
        worst = sentences.locator(".monaco-list-row", has_text="Quillpot harnesses")
        worst.click()
        worst.locator(".monaco-tl-twistie").click()
        take("vscode-panel")


def neovim(made: Project) -> None:
    """Take Neovim with its messages beside the lines."""
    setups, config = ROOT / "examples/editors/neovim", made.home / ".config/nvim"
    (config / "lsp").mkdir(parents=True)
    shutil.copy(setups / "onbrand.lua", config / "lsp")
    options = "linebreak signcolumn=yes termguicolors laststatus=0 noruler"
    colours = "highlight Normal guibg=NONE | highlight NormalFloat guibg=#2b3040"
    looks = f"vim.cmd('set {options} noshowcmd | {colours}')\n"
    (config / "init.lua").write_text((setups / "init.lua").read_text("utf-8") + looks, "utf-8")
    command = [program("nvim-0.11"), "-n", "-i", "NONE", made.draft]
    with terminal(command, folder=made.folder, env=made.environment, **SIZE) as screen:
        screen.shows("Reads like")
        screen.type("12Gzt14G$")
        screen.press("C-w", "d")
        screen.shows("Diagnostics:")
        draw("neovim", screen)


def emacs(made: Project) -> None:
    """Take Emacs with the message of the finding at point in the echo area."""
    home = made.home / ".emacs.d"
    home.mkdir()
    looks = "(setq native-comp-deferred-compilation nil)"
    (home / "early-init.el").write_text(
        looks + "(menu-bar-mode -1)(setq frame-background-mode 'dark)"
    )
    (home / "init.el").write_text(
        "(setq inhibit-startup-screen t)(global-visual-line-mode 1)"
        + (ROOT / "examples/editors/emacs/onbrand.el").read_text("utf-8")
    )
    command = ["emacs", "-nw", made.draft]
    with terminal(
        command, folder=made.folder, env=made.environment, **SIZE | {"lines": 34}
    ) as screen:
        screen.shows("Flymake[0 5")
        screen.press("M-<", "C-s")
        screen.type(HARNESSES)
        screen.press("Enter", "M-x")
        screen.type("flymake-show-buffer-diagnostics\n")
        screen.shows("Flymake diagnostics for")
        screen.press("C-l")
        screen.shows("Speaks against")
        draw("emacs", screen)


def kate(made: Project) -> None:
    """Take Kate, on a screen of its own that nobody sees."""
    config = made.home / ".config"
    (config / "kate/lspclient").mkdir(parents=True)
    shutil.copy(ROOT / "examples/editors/kate/settings.json", config / "kate/lspclient")
    server = Path(sys.executable).with_name("onbrand")
    (config / "katerc").write_text(KATE.format(server=f"{server} lsp"), "utf-8")
    env = made.environment | {"QT_QPA_PLATFORM": "xcb", "XDG_RUNTIME_DIR": str(made.home)}
    made.home.chmod(0o700)
    shot = made.home / "kate.png"
    script = f"""
        openbox & kate -n {made.draft} & kate=$!
        window=$(timeout 60 xdotool search --sync --onlyvisible --class kate | tail -1)
        xdotool windowsize --sync $window 1280 800 windowmove $window 0 0
        for _ in $(seq 600); do pgrep -P $kate onbrand >/dev/null && break; sleep 0.1; done
        sleep 8 # Kate says nowhere that it has drawn them
        import -window root {shot}; kill $kate"""
    screen = ["xvfb-run", "--auto-servernum", "--server-args", "-screen 0 1280x800x24"]
    command = [*screen, "dbus-run-session", "--", "bash", "-c", script]
    subprocess.run(command, env=env, cwd=made.folder, check=False)  # noqa: S603 - our own script
    save("kate", shot.read_bytes())


def draw(name: str, screen: Terminal) -> None:
    """Write what is on a terminal's screen as an SVG."""
    make.FORMAT = make.FORMAT.replace("\n{matrix}", "\n{backgrounds}\n{matrix}")
    # Rich takes the colour of an underline for other things.
    shown = re.sub("\x1b\\[58[^m]*m", "", screen.screen(colours=True))
    (HERE / f"{name}.svg").write_text(make.picture(Text.from_ansi(shown.rstrip("\n"))), "utf-8")


PICTURES: dict[str, Callable[[Project], None]] = {
    "vscode": vscode,
    "neovim": neovim,
    "emacs": emacs,
    "kate": kate,
}


def main() -> None:
    """Write the pictures that are named, or all, beside this file."""
    for name in sys.argv[1:] or PICTURES:
        with tempfile.TemporaryDirectory() as folder:
            PICTURES[name](project(Path(folder)))


if __name__ == "__main__":
    main()
