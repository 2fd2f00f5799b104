"""Sentences added to a project's configuration, everything else in it as it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from onbrand.config import load_config
from onbrand.errors import OnbrandError
from onbrand_lsp.features.config_edit import add_ignored, ignore_in_project

ITEM = 'ignore = [\n    "Hi there.",\n]\n'
SOURCES = {
    "empty": ("", ITEM),
    "comment": ("# ours\n", f"# ours\n{ITEM}"),
    "keys": ('brand = "a"\n', f'brand = "a"\n{ITEM}'),
    "no last line break": ('brand = "a"', f'brand = "a"\n{ITEM}'),
    "long value": ("voices = [\n  'a', # x\n]\n", f"voices = [\n  'a', # x\n]\n{ITEM}"),
    "tables": (
        'brand = "a" # why\n\n# about\n[[paths]]\nglob = "x"\nbrand = "b"\n',
        f'brand = "a" # why\n{ITEM}\n# about\n[[paths]]\nglob = "x"\nbrand = "b"\n',
    ),
    "tables alone": ('# us\n\n[[paths]]\nglob = "x"\n', f'# us\n\n{ITEM}\n[[paths]]\nglob = "x"\n'),
    "table with a comment": (
        '# it\n[[paths]]\nglob = "x"\n',
        f'{ITEM}\n# it\n[[paths]]\nglob = "x"\n',
    ),
    "windows": ('brand = "a"\r\n', 'brand = "a"\r\n' + ITEM.replace("\n", "\r\n")),
    "empty list": ("ignore = []\nroot = true\n", f"{ITEM}root = true\n"),
    "one line": ('ignore = ["A b."]\n', 'ignore = [\n    "A b.",\n    "Hi there.",\n]\n'),
    "commented": (
        'ignore = [\n  "A b.", # the founder\n  # more\n]\n',
        'ignore = [\n  "A b.", # the founder\n  # more\n  "Hi there.",\n]\n',
    ),
    "no last comma": (
        'ignore = [\n  "A b."\n  # more\n]\n',
        'ignore = [\n  "A b.",\n  # more\n  "Hi there.",\n]\n',
    ),
    "there already": ('ignore = ["Hi\\n  there."]\n', 'ignore = ["Hi\\n  there."]\n'),
}
SHARED = {
    "table": (
        '[project]\nname = "x"\n[tool.onbrand]\nbrand = "a"\n\n[tool.other]\nx = 1\n',
        f'[project]\nname = "x"\n[tool.onbrand]\nbrand = "a"\n{ITEM}\n[tool.other]\nx = 1\n',
    ),
    "empty table": ("[tool.onbrand]\n[tool.other]\n", f"[tool.onbrand]\n{ITEM}\n[tool.other]\n"),
    "tables below": (
        '[tool.onbrand]\n[[tool.onbrand.paths]]\nglob = "x"\n',
        f'[tool.onbrand]\n{ITEM}\n[[tool.onbrand.paths]]\nglob = "x"\n',
    ),
    "list": ("[tool.onbrand]\nignore = []\n", f"[tool.onbrand]\n{ITEM}"),
}


@pytest.mark.parametrize("name", SOURCES)
def test_the_sentence_is_added_and_nothing_else_is_touched(name: str) -> None:
    before, after = SOURCES[name]
    assert add_ignored(before, " Hi\nthere. ") == after
    assert add_ignored(after, "Hi there.") == after


@pytest.mark.parametrize("name", SHARED)
def test_pyproject_has_a_table_of_ours(name: str) -> None:
    before, after = SHARED[name]
    assert add_ignored(before, "Hi there.", pyproject=True) == after


@pytest.mark.parametrize(
    "text",
    [
        "[tool]\nonbrand = {brand = 'a'}\n",
        "[tool]\nonbrand.brand = 'a'\n[tool.other]\n",
        "[[tool.onbrand.paths]]\nglob = 'x'\n",
        "[tool.onbrand]\nignore = 'x'\n",
        "[tool.onbrand]\nignore = [1]\n",
        "[tool]\nonbrand = 1\n",
        "[project]\nname = 'x'\n",
        "not toml",
    ],
)
def test_what_cannot_be_added_to_is_left_to_people(text: str) -> None:
    with pytest.raises(OnbrandError, match=r"add the sentence to ignore = \[\] by hand$") as raised:
        add_ignored(text, "Some secret copy.", pyproject=True)
    assert "secret" not in str(raised.value)


def test_there_has_to_be_a_sentence() -> None:
    with pytest.raises(OnbrandError, match="there is no sentence to ignore"):
        add_ignored("", " \n")


def test_a_project_without_a_file_gets_one(tmp_path: Path) -> None:
    file = ignore_in_project(tmp_path, "Hi there.")
    assert file == tmp_path / "onbrand.toml"
    assert file.read_text() == ITEM
    ignore_in_project(tmp_path, "So it is.")
    assert load_config(file).content.ignore == ("Hi there.", "So it is.")


def test_a_file_that_says_it_already_is_not_written(tmp_path: Path) -> None:
    file = ignore_in_project(tmp_path, "Hi there.")
    os.utime(file, ns=(1, 1))
    ignore_in_project(file, "Hi  there.")
    assert file.stat().st_mtime_ns == 1


def test_pyproject_is_written_to_where_it_speaks_of_onbrand(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text('[tool.onbrand]\nbrand = "a"\n')
    assert ignore_in_project(file, "Hi there.") == file
    assert load_config(file).content.ignore == ("Hi there.",)


@pytest.mark.parametrize(
    ("text", "said"), [("brand = 1\n", r'onbrand.toml:1: "brand" must'), ("=", "is not valid TOML")]
)
def test_a_broken_file_has_its_own_error_and_stays(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "onbrand.toml"
    file.write_text(text)
    with pytest.raises(OnbrandError, match=said):
        ignore_in_project(file, "Hi there.")
    assert file.read_text() == text


def test_an_error_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text("[tool]\nonbrand = {brand = 'a'}\n")
    with pytest.raises(OnbrandError) as raised:
        ignore_in_project(file, "Hi there.")
    assert raised.value.path == file
    (tmp_path / "file").write_text("")
    with pytest.raises(OnbrandError, match="cannot be written"):
        ignore_in_project(tmp_path / "file" / "onbrand.toml", "Hi there.")
