from __future__ import annotations

from pathlib import Path

import pytest

from onbrand.config import load_config
from onbrand.config.load import ALLOWED, ConfigFile, PathRule
from onbrand.errors import OnbrandError

PROBABILITY = "must be a number from 0 to 1; it is"
CASES = [
    # text, line, what the message must say
    ("brand = 3", 1, '"brand" must be the name of a voice, say "acme"; it is 3'),
    ('brand = ""', 1, 'it is ""'),
    ("gate = 0.5\n\n# no\ngate = 2", 4, "not valid TOML"),
    ("# a\n\ngate = 2", 3, f'"gate" {PROBABILITY} 2'),
    ("threshold = -0.1", 1, f'"threshold" {PROBABILITY} -0.1'),
    ('gate = "high"', 1, f'"gate" {PROBABILITY} "high"'),
    ("gate = true", 1, f'"gate" {PROBABILITY} true'),
    ("gate = nan", 1, f'"gate" {PROBABILITY} nan'),
    ("gate = 1979-05-27", 1, f'"gate" {PROBABILITY} 1979-05-27'),
    ("quotes = 1", 1, '"quotes" must be true (judge block quotes too) or false; it is 1'),
    ('root = "yes"', 1, '"root" must be true'),
    ('underline = "letters"', 1, '"underline" must be "sentence" or "words"; it is "letters"'),
    ("max_findings = -1", 1, '"max_findings" must be a number from 0 (no limit) to 1000; it is -1'),
    ('voices = "voices"', 1, '"voices" must be a list of folders or URLs, say ["voices"]; it is'),
    ('voices = [\n  "a",\n  # b\n  3,\n]', 4, "item 2 is 3"),
    ('voices = ["a\\u0000"]', 1, 'item 1 is "a\\u0000"'),
    ('gate = 0.5\nbrnd = "acme"', 2, 'unknown key "brnd"; did you mean "brand"? (known: root,'),
    ('Voices = ["a"]', 1, 'did you mean "voices"?'),
    ('labels-db = "a"', 1, 'did you mean "labels_db"?'),
    ('zzz = "a"', 1, 'unknown key "zzz" (known: root, brand, avoid, voices,'),
    ('"a\\nb" = 1', 1, 'unknown key "a\\nb" ('),
    ('avoid = "hype"', 1, '"avoid" must be a list of voices that drafts must not read like, say'),
    (
        'avoid = [\n  "hype",\n  "hpye",\n]',
        3,
        '"avoid": no register is named "hpye" (known: hype, corporate,',
    ),
    ('[[paths]]\nglob = "a"\navoid = ["x"]', 3, '"avoid": no register is named "x" (known: '),
    ("server.port = 1", 1, 'unknown key "server"'),
    ("gate = 0.5\n[server]\nport = 1", 2, 'unknown key "server"'),
    ('[[paths]]\nglob = "a"\n\n[[paths]]\nbrand = "b"', 4, '"glob" is missing'),
    ('[[paths]]\nglob = "a"\n[[paths]]\nglob = "b"\ngate = 9', 5, f'"gate" {PROBABILITY} 9'),
    ('[[paths]]\nglob = "a"\nbrnd = "b"', 3, 'did you mean "brand"? (known: glob, brand,'),
    ('[[paths]]\nglob = "a"\nvoices = ["b"]', 3, 'unknown key "voices" (known: glob, brand,'),
    ('[paths]\nglob = "a"', 1, '"paths" must be tables, each begun by the line [[paths]]; it is a'),
    ('paths = [\n  {glob = "a"},\n  {glob = "b", gate = 2},\n]', 3, f'"gate" {PROBABILITY} 2'),
    ("paths = [1]", 1, "item 1 is 1"),
    ('[[paths]]\nglob = "!a"', 2, 'must not begin with "!"'),
    ('[[paths]]\nglob = "a/["', 2, '"a/[" can match nothing'),
    ('[[paths]]\nglob = "# a"', 2, "can match nothing"),
    ('exclude = [\n  "a",\n  "[z-a]",\n]', 3, '"[z-a]" can match nothing'),
    ('exclude = ["\\\\"]', 1, "can match nothing"),
    ("exclude = [[1]]", 1, "item 1 is an array"),
    ("brand = {a = 1}", 1, "it is a table"),
    ('brand = "acme\ngate = 1', 1, "not valid TOML in column"),
    ("gate = 0.5\nvoices = [", 2, "not valid TOML"),
    (f"gate = {'9' * 5000}", None, "too long a number"),
    (f"gate = {'[' * 5000}", None, "nested too deeply"),
]


@pytest.mark.parametrize(("text", "line", "message"), CASES)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_an_error_names_file_line_key_and_what_is_allowed(
    tmp_path: Path, text: str, line: int | None, message: str, newline: str
) -> None:
    file = tmp_path / "onbrand.toml"
    file.write_bytes(text.replace("\n", newline).encode())
    with pytest.raises(OnbrandError) as caught:
        load_config(file)
    assert message in caught.value.message
    assert (caught.value.path, caught.value.line) == (file, line)
    assert "\n" not in str(caught.value)


def test_lines_count_from_the_top_of_pyproject(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text('[project]\nname = "x"\n\n[tool.onbrand]\nbrand = "a"\ngate = 2\n')
    with pytest.raises(OnbrandError) as caught:
        load_config(file)
    assert caught.value.line == 6


def test_our_table_must_be_a_table(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text("[tool]\nonbrand = 3\n")
    with pytest.raises(OnbrandError, match='"onbrand" must be a table of settings; it is 3'):
        load_config(file)


@pytest.mark.parametrize("raw", [b"\xff\xfe", b'brand = "\xe9"', b"\0" * 100])
def test_a_file_that_is_no_text(tmp_path: Path, raw: bytes) -> None:
    file = tmp_path / "onbrand.toml"
    file.write_bytes(raw)
    with pytest.raises(OnbrandError, match="UTF-8"):
        load_config(file)


def test_every_key_says_what_it_allows() -> None:
    keys = {*ConfigFile.__struct_fields__, *PathRule.__struct_fields__}
    assert keys | {"onbrand"} == set(ALLOWED)
