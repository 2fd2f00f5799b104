"""VS Code's window in a browser, by the words that a user sees in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from code_server import CodeServer
from editor_project import program
from playwright.sync_api import Error, Locator, Page, sync_playwright
from waiting import PATIENCE, until, until_equal

ARGUMENTS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--no-sandbox",
]
# A squiggle is a box of its own on top of the text. Which words it is under is a question of
# geometry: those of its line whose middle lies between its sides.
SQUIGGLES = """() => {
  const squiggles = [...document.querySelectorAll('.editor-instance .cdr[class*=squiggly-]')];
  const words = (box, line) => {
    const range = document.createRange(), covered = [];
    const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      let at = 0;
      for (const character of node.data) {
        range.setStart(node, at);
        range.setEnd(node, at += character.length);
        const { left, right } = range.getBoundingClientRect(), middle = (left + right) / 2;
        if (right > left && box.left < middle && middle < box.right) covered.push(character);
      }
    }
    return covered.join('');
  };
  const boxes = squiggles.map((squiggle) => squiggle.getBoundingClientRect());
  boxes.sort((a, b) => a.top - b.top || a.left - b.left);
  const lines = [...document.querySelectorAll('.editor-instance .view-line')];
  return boxes.map((box) => {
    const middle = (box.top + box.bottom) / 2;
    const line = lines.find((line) => {
      const { top, bottom } = line.getBoundingClientRect();
      return top < middle && middle < bottom;
    });
    return line ? words(box, line).replaceAll('\\u00a0', ' ') : '';
  });
}"""


@contextmanager
def chromium(
    *, width: int = 1280, height: int = 800, scale: float = 1, patience: float = PATIENCE
) -> Iterator[Page]:
    """Open Debian's Chromium without any way out of this machine."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program("chromium"), args=ARGUMENTS, timeout=patience * 1000
        )
        page = browser.new_page(
            viewport={"width": width, "height": height}, device_scale_factor=scale
        )
        page.set_default_timeout(patience * 1000)
        try:
            yield page
        finally:
            browser.close()


@dataclass(frozen=True)
class Workbench:
    """The window of VS Code, with one folder open."""

    page: Page
    server: CodeServer

    def open(self, folder: Path, file: Path) -> None:
        """Open a folder and a file in it."""
        self.page.goto(self.server.url(folder, {"openFile": self.server.remote(file)}))
        self.page.wait_for_selector(f".tab[data-resource-name='{file.name}']")
        self.page.wait_for_selector(".editor-instance .view-line")

    def evidence(self) -> str:
        """Return where a picture of the window is, and the logs."""
        picture = self.server.data / "failed.png"
        self.page.screenshot(path=picture)
        return f"The window: {picture}\n{self.server.logs()}"

    def squiggles(self) -> list[str]:
        """Return the words above each squiggle, from the top; a wrapped one is several."""
        return self.page.evaluate(SQUIGGLES)

    def underlines(self, *sentences: str) -> None:
        """Wait until these sentences are underlined and no others, whichever way lines wrap."""
        wanted = [*sentences]
        until_equal(lambda: joined(self.squiggles(), wanted), wanted)

    def cursor_to(self, text: str) -> None:
        """Put the cursor behind the first occurrence of a text."""
        self.page.keyboard.press("Control+1")  # into the editor
        self.page.keyboard.press("Control+Home")
        self.page.keyboard.press("Control+f")
        box = self.page.locator(".find-widget textarea.input").first
        box.fill(text)
        box.press("Enter")
        self.page.wait_for_selector(".find-widget .matchesCount:text-matches('1 of')")
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("ArrowRight")  # instead of a selection

    def command(self, title: str) -> None:
        """Run a command of the palette."""
        self.page.keyboard.press("F1")
        self.page.locator(".quick-input-widget input").first.fill(f">{title}")
        self.page.locator(".quick-input-list .monaco-list-row", has_text=title).first.click()

    def install(self, vsix: Path) -> None:
        """Install an extension from a file of this machine, as the menu of extensions does."""
        self.command("Extensions: Install from VSIX...")
        box = self.page.locator(".quick-input-widget input[type=text]").first
        rows = self.page.locator(".quick-input-list .monaco-list-row")
        rows.filter(has_text="..").first.wait_for()  # until then, what is typed is overwritten
        box.fill(f"{vsix.parent}/")
        rows.filter(has_text=vsix.name).click()

    def pick(self, label: str) -> None:
        """Choose an entry of the list that is open at the top."""
        self.page.locator(".quick-input-list .monaco-list-row", has_text=label).first.click()

    def code_actions(self) -> Locator:
        """Open the menu of quick fixes at the cursor and return its entries."""
        entries = self.page.locator(".action-widget .monaco-list-row.action")

        def opened() -> bool:
            self.page.keyboard.press("Control+.")
            with suppress(Error):  # news of any kind, say a code lens, close the menu again
                entries.first.wait_for(timeout=5000)
            return entries.count() > 0

        until(opened, "the quick fixes")
        return entries

    def problems(self) -> Locator:
        """Open the panel Problems and return its rows."""
        self.page.keyboard.press("Control+Shift+m")
        return self.page.locator(".markers-panel .monaco-list-row")

    def widen_side_bar(self, pixels: int) -> None:
        """Draw the border between side bar and editor to the right."""
        box = self.page.locator(".part.sidebar").bounding_box()
        assert box is not None
        self.page.mouse.move(box["x"] + box["width"], 400)
        self.page.mouse.down()
        self.page.mouse.move(box["x"] + box["width"] + pixels, 400, steps=5)
        self.page.mouse.up()

    def status(self) -> Locator:
        """Return our item in the status bar."""
        return self.page.locator(".statusbar-item[id='onbrand.onbrand.onbrand.status']")


def joined(squiggles: list[str], sentences: list[str]) -> list[str]:
    """Put the pieces of sentences that wrap together again."""
    parts: list[str] = []
    for piece in squiggles:
        longer = " ".join([*parts[-1:], piece.strip()])
        if parts and any(sentence.startswith(longer) for sentence in sentences):
            parts[-1] = longer
        else:
            parts.append(piece.strip())
    return parts
