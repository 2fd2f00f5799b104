from __future__ import annotations

from pathlib import Path

import pytest

from onbrand.config import ConfigCache, find_config, load_config, settings_for
from onbrand.errors import OnbrandError
from onbrand.installation import default_root


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_no_configuration_is_silent(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "draft.md")
    assert settings.source is None
    assert settings.brand is None
    assert settings.files == settings.voices == settings.warnings == ()
    assert not settings.excluded
    assert find_config(tmp_path / "draft.md") is None


def test_the_nearest_file_wins_key_by_key(tmp_path: Path) -> None:
    outer = write(tmp_path / "onbrand.toml", 'brand = "acme"\nvoices = ["voices"]\ngate = 0.6\n')
    inner = write(tmp_path / "docs/onbrand.toml", "gate = 0.8\n")
    settings = settings_for(tmp_path / "docs/guide/draft.md")
    assert (settings.brand, settings.gate) == ("acme", 0.8)
    assert settings.voices == (tmp_path / "voices",)
    assert settings.source == find_config(tmp_path / "docs/guide/draft.md") == inner
    assert settings.files == (inner, outer)


def test_root_ends_the_search(tmp_path: Path) -> None:
    write(tmp_path / "onbrand.toml", 'brand = "acme"\n')
    inner = write(tmp_path / "docs/onbrand.toml", "root = true\ngate = 0.8\n")
    settings = settings_for(tmp_path / "docs/draft.md")
    assert (settings.brand, settings.gate, settings.files) == (None, 0.8, (inner,))


def test_a_folder_is_looked_up_from_itself(tmp_path: Path) -> None:
    inner = write(tmp_path / "docs/onbrand.toml", "")
    assert find_config(tmp_path / "docs") == inner
    assert find_config(tmp_path / "docs" / ".." / "x.md") is None


def test_links_count_as_the_folders_that_the_user_sees(tmp_path: Path) -> None:
    config = write(tmp_path / "site/onbrand.toml", "")
    write(tmp_path / "elsewhere/draft.md", "")
    (tmp_path / "site/drafts").symlink_to(tmp_path / "elsewhere")
    assert find_config(tmp_path / "site/drafts/draft.md") == config


def test_pyproject_table(tmp_path: Path) -> None:
    shared = write(tmp_path / "pyproject.toml", '[tool.onbrand]\nbrand = "acme"\n')
    assert settings_for(tmp_path / "draft.md").source == shared
    assert settings_for(tmp_path / "draft.md").brand == "acme"


def test_onbrand_toml_beats_pyproject_of_the_same_folder(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", '[tool.onbrand]\nbrand = "acme"\ngate = 0.9\n')
    own = write(tmp_path / "onbrand.toml", 'brand = "beta"\n')
    settings = settings_for(tmp_path / "draft.md")
    assert (settings.brand, settings.gate, settings.files) == ("beta", None, (own,))


@pytest.mark.parametrize("text", ["[tool.ruff]\n", "this is = not [toml", "# onbrand\n"])
def test_a_pyproject_that_is_not_ours_is_passed_over(tmp_path: Path, text: str) -> None:
    outer = write(tmp_path / "onbrand.toml", "")
    write(tmp_path / "docs/pyproject.toml", text)
    assert find_config(tmp_path / "docs/draft.md") == outer


def test_a_pyproject_that_speaks_of_us_must_be_right(tmp_path: Path) -> None:
    file = write(tmp_path / "pyproject.toml", "[tool.onbrand]\nbrand =\n")
    with pytest.raises(OnbrandError, match="not valid TOML") as caught:
        settings_for(tmp_path / "draft.md")
    assert (caught.value.path, caught.value.line) == (file, 2)


def test_the_last_matching_table_wins(tmp_path: Path) -> None:
    write(
        tmp_path / "onbrand.toml",
        """\
brand = "acme"
gate = 0.6
[[paths]]
glob = "docs/beta/**"
brand = "beta"
gate = 0.8
[[paths]]
glob = "*.mdx"
gate = 0.9
quotes = true
""",
    )
    plain = settings_for(tmp_path / "a.md")
    assert (plain.brand, plain.gate, plain.quotes, plain.matched) == ("acme", 0.6, False, ())
    both = settings_for(tmp_path / "docs/beta/a.mdx")
    assert (both.brand, both.gate, both.quotes) == ("beta", 0.9, True)
    assert both.matched == ("*.mdx", "docs/beta/**")


def test_a_nearer_file_beats_the_tables_of_a_farther_one(tmp_path: Path) -> None:
    write(tmp_path / "onbrand.toml", '[[paths]]\nglob = "docs/**"\nbrand = "acme"\ngate = 0.9\n')
    write(tmp_path / "docs/onbrand.toml", 'brand = "beta"\n')
    settings = settings_for(tmp_path / "docs/a.md")
    assert (settings.brand, settings.gate) == ("beta", 0.9)


def test_a_switch_can_be_turned_off_again(tmp_path: Path) -> None:
    write(tmp_path / "onbrand.toml", 'quotes = true\n[[paths]]\nglob = "a.md"\nquotes = false\n')
    assert settings_for(tmp_path / "b.md").quotes
    assert not settings_for(tmp_path / "a.md").quotes


def test_globs_start_from_the_folder_of_their_file(tmp_path: Path) -> None:
    write(tmp_path / "docs/onbrand.toml", 'exclude = ["/old"]\n')
    assert settings_for(tmp_path / "docs/old/a.md").excluded
    assert not settings_for(tmp_path / "docs/new/old/a.md").excluded


def test_exclude_adds_up_and_can_be_taken_back(tmp_path: Path) -> None:
    write(tmp_path / "onbrand.toml", 'exclude = ["drafts/", "CHANGELOG.md"]\n')
    write(tmp_path / "sub/onbrand.toml", 'exclude = ["*.txt", "!CHANGELOG.md"]\n')
    excluded = {
        name: settings_for(tmp_path / name).excluded
        for name in ("drafts/a.md", "sub/drafts/a.md", "sub/a.txt", "a.txt", "CHANGELOG.md")
    }
    assert excluded == {
        "drafts/a.md": True,
        "sub/drafts/a.md": True,
        "sub/a.txt": True,
        "a.txt": False,
        "CHANGELOG.md": True,
    }
    assert not settings_for(tmp_path / "sub/CHANGELOG.md").excluded


def test_an_explicit_file_is_the_only_one(tmp_path: Path) -> None:
    write(tmp_path / "onbrand.toml", 'brand = "acme"\ngate = 0.9\n')
    other = write(tmp_path / "ci/strict.toml", 'brand = "beta"\n')
    settings = settings_for(tmp_path / "draft.md", explicit=other)
    assert (settings.brand, settings.gate, settings.files) == ("beta", None, (other,))


def test_places_are_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    write(
        tmp_path / "docs/onbrand.toml",
        'voices = ["../voices", "~/voices"]\nencoder = "enc"\nlabels_db = "labels.db"\n',
    )
    settings = settings_for(tmp_path / "docs/a.md")
    assert settings.voices == (tmp_path / "voices", tmp_path / "home/voices")
    assert settings.encoder == tmp_path / "docs/enc"
    assert settings.labels_db == str(tmp_path / "docs/labels.db")


def test_a_database_url_stays_as_it_is(tmp_path: Path) -> None:
    write(tmp_path / "onbrand.toml", 'labels_db = "postgresql://db/labels"\n')
    assert settings_for(tmp_path / "a.md").labels_db == "postgresql://db/labels"


URL = "https://x.example/voices/index.json"
SECRET = "https://ann:hunter2@x.example/voices/index.json?token=hunter2"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where voices from the URL are installed."""
    monkeypatch.setenv("ONBRAND_DATA_DIR", str(tmp_path / "data"))
    return default_root(URL)


@pytest.mark.parametrize("url", [URL, SECRET, "https://X.example/voices/"])
def test_a_url_stands_for_what_is_installed_from_it(tmp_path: Path, root: Path, url: str) -> None:
    write(tmp_path / "onbrand.toml", f'voices = ["first", "{url}", "last"]\n')
    write(root / "installed.json", "{}")
    settings = settings_for(tmp_path / "a.md")
    assert settings.voices == (tmp_path / "first", root, tmp_path / "last")
    assert settings.uninstalled == settings.warnings == ()


@pytest.mark.parametrize("url", [URL, SECRET])
def test_a_url_from_which_nothing_is_installed(tmp_path: Path, root: Path, url: str) -> None:
    file = write(tmp_path / "onbrand.toml", f'\nvoices = ["{url}", "voices"]\n')
    settings = settings_for(tmp_path / "a.md")
    assert settings.voices == (tmp_path / "voices",)
    message = f"no voices installed from {URL}; run: onbrand voices install {URL} --key KEY"
    assert settings.warnings == (f"{file}:2: {message}",)
    write(file, f'voices = ["{url}"]\n')
    settings = settings_for(tmp_path / "a.md")
    assert (settings.voices, settings.warnings) == ((), ())
    assert settings.uninstalled == ((root, f"{file}:1: {message}"),)


def test_a_url_that_is_none(tmp_path: Path) -> None:
    file = write(tmp_path / "onbrand.toml", 'voices = [\n"voices",\n"https://[hunter2/"]\n')
    with pytest.raises(OnbrandError, match=r'"voices": item 2 is no URL \(Invalid IPv6') as caught:
        settings_for(tmp_path / "a.md")
    assert (caught.value.path, caught.value.line) == (file, 3)
    for written in (SECRET, "https://[hunter2/"):
        write(file, f'voices = "{written}"\n')
        with pytest.raises(OnbrandError, match="a list of folders or URLs") as caught:
            settings_for(tmp_path / "a.md")
        assert "hunter2" not in str(caught.value)


def test_the_cache_keeps_a_folder_until_it_is_emptied(tmp_path: Path) -> None:
    file = write(tmp_path / "onbrand.toml", 'brand = "acme"\n')
    cache: ConfigCache = {}
    assert settings_for(tmp_path / "a.md", cache=cache).brand == "acme"
    write(file, 'brand = "beta"\n')
    assert settings_for(tmp_path / "b.md", cache=cache).brand == "acme"
    cache.clear()
    assert settings_for(tmp_path / "b.md", cache=cache).brand == "beta"


def test_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    config = write(tmp_path / "onbrand.toml", "")
    assert settings_for(tmp_path / "a\0b" / "c.md").source == config


def test_a_folder_named_like_the_file_is_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "onbrand.toml").mkdir()
    assert find_config(tmp_path / "a.md") is None


def test_a_missing_explicit_file(tmp_path: Path) -> None:
    with pytest.raises(OnbrandError, match="no such file"):
        settings_for(tmp_path / "a.md", explicit=tmp_path / "none.toml")


def test_an_explicit_pyproject_needs_the_table(tmp_path: Path) -> None:
    file = write(tmp_path / "pyproject.toml", "[tool.ruff]\n")
    with pytest.raises(OnbrandError, match=r"no \[tool.onbrand\]"):
        load_config(file)
