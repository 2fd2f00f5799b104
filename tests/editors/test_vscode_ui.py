"""VS Code with the packaged extension, in a browser: what a writer sees and does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from editor_project import EPIC, INTELLIGENCE, TYPED, Project, make_project
from waiting import until, until_equal

if TYPE_CHECKING:
    from code_server import CodeServer
    from playwright.sync_api import Page
    from workbench import Workbench

pytestmark = [
    pytest.mark.heavy("code-server", "chromium", "playwright", "vsix"),
    pytest.mark.slow,
    pytest.mark.xdist_group("vscode"),  # they share a server
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, example_voices: Path) -> Iterator[CodeServer]:
    """One VS Code for all tests here; each opens a folder of its own."""
    from code_server import code_server

    with code_server(make_project(tmp_path_factory.mktemp("vscode"), example_voices)) as running:
        yield running


@pytest.fixture
def page() -> Iterator[Page]:
    """A browser of its own for every test: nothing is remembered."""
    from workbench import chromium

    with chromium() as opened:
        yield opened


@pytest.fixture
def workbench(server: CodeServer, page: Page, project: Project) -> Workbench:
    """The window, with the draft open and both its findings underlined."""
    from workbench import Workbench

    window = Workbench(page, server)
    window.open(project.folder, project.draft)
    window.underlines(EPIC, INTELLIGENCE)
    return window


def test_a_finding_is_listed_with_the_words_that_caused_it(workbench: Workbench) -> None:
    found = workbench.problems().filter(has_text="quillpot’s copy hardly ever does")
    found.nth(1).wait_for()
    assert "“absolutely”" in found.nth(0).inner_text()
    assert "“unparalleled”" in found.nth(1).inner_text()
    assert found.count() == 2


def test_looks_again_while_the_writer_types(workbench: Workbench) -> None:
    workbench.page.keyboard.press("Control+End")
    workbench.page.keyboard.type(f"\nPut the kettle on first 🚀. {TYPED}")
    workbench.underlines(EPIC, INTELLIGENCE, TYPED)
    for _ in TYPED:
        workbench.page.keyboard.press("Backspace")
    workbench.underlines(EPIC, INTELLIGENCE)


def test_a_draft_in_the_brands_voice_has_no_underlines(
    server: CodeServer, page: Page, project: Project
) -> None:
    from workbench import Workbench

    workbench = Workbench(page, server)
    workbench.open(project.folder, project.clean)
    until(lambda: "quillpot 0." in workbench.status().inner_text(), "the verdict")
    assert workbench.squiggles() == []


def test_a_hover_says_why(workbench: Workbench) -> None:
    workbench.cursor_to(EPIC[:20])
    workbench.command("Show or Focus Hover")
    hover = workbench.page.locator(".monaco-hover:visible", has_text="absolutely")
    hover.filter(has_text="Nearest on-brand").first.wait_for()


def test_marking_a_sentence_as_on_brand_keeps_a_label(
    workbench: Workbench, project: Project
) -> None:
    workbench.cursor_to(EPIC[:20])
    actions = workbench.code_actions()
    assert actions.filter(has_text="Mark as off-brand for quillpot").count() == 1
    actions.filter(has_text="Mark as on-brand for quillpot").click()
    workbench.underlines(INTELLIGENCE)
    until_equal(project.labels, {EPIC: "on"})


def test_another_brand_is_chosen_in_the_status_bar(workbench: Workbench, project: Project) -> None:
    workbench.status().filter(has_text="quillpot").click()
    workbench.pick("Check this draft as")
    workbench.pick("varnholt-pumps")
    workbench.status().filter(has_text="varnholt-pumps").wait_for()
    others = project.flagged(brand="varnholt-pumps")
    assert len(others) > 2
    workbench.underlines(*others)


def test_the_side_panel_leads_to_the_worst_sentences(workbench: Workbench) -> None:
    workbench.command("Show the Verdict on This Draft")
    verdict = workbench.page.locator(".pane", has_text="Draft").locator(".monaco-list-row").first
    until(lambda: "Review" in verdict.inner_text(), "the verdict")
    sentences = workbench.page.locator(".pane", has_text="Worst Sentences")
    sentences.locator(".monaco-list-row", has_text="Quillpot harnesses").click()
    selection = workbench.page.locator(".statusbar-item", has_text="Ln 7, ")
    selection.filter(has_text=f"({len(INTELLIGENCE)} selected)").wait_for()
