from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from onbrand.config import load_config
from onbrand.config.load import TomlLines
from onbrand.errors import OnbrandError

# A statement, the keys it sets, and the line within it on which each stands.
STATEMENTS = [
    ('brand = "acme"', {("brand",): 0}),
    ('brand = """\nac"me\n"""', {("brand",): 0}),
    ("brand = '''\n]\n'''", {("brand",): 0}),
    ('voices = ["a", "b]"]', {("voices",): 0, ("voices", 1): 0}),
    ('voices = [\n  "a", # ["\n\n  "b",\n]', {("voices",): 0, ("voices", 0): 1, ("voices", 1): 3}),
    ("gate = 0.5 # gate", {("gate",): 0}),
    ('"threshold" = 0.25', {("threshold",): 0}),
    ("exclude = [\n]", {("exclude",): 0}),
]
NOISE = st.sampled_from(["", "# gate = 1", "  ", '# """', "#["])
TABLES = [
    ('[[paths]]\nglob = "a"\ngate = 0.1', {(): 0, ("glob",): 1, ("gate",): 2}),
    ('[[ paths ]] # x\n\nglob = "b"', {(): 0, ("glob",): 2}),
]


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[tuple[str | int, ...], int]]:
    """A configuration, and the line of every key in it, counted from 1."""
    lines: list[str] = draw(st.lists(NOISE, max_size=3))
    where: dict[tuple[str | int, ...], int] = {}
    unique = st.lists(st.sampled_from(STATEMENTS), unique_by=lambda s: next(iter(s[1])))
    blocks = [(text, keys, ()) for text, keys in draw(unique)]
    tables = draw(st.lists(st.sampled_from(TABLES), max_size=3))
    blocks += [(text, keys, ("paths", n)) for n, (text, keys) in enumerate(tables)]
    for text, keys, prefix in blocks:
        where |= {(*prefix, *key): len(lines) + 1 + line for key, line in keys.items()}
        lines += text.split("\n")
        lines += draw(st.lists(NOISE, max_size=2))
    return draw(st.sampled_from(["\n", "\r\n"])).join(lines), where


@given(documents())
def test_every_key_is_found_on_its_line(
    document: tuple[str, dict[tuple[str | int, ...], int]],
) -> None:
    text, where = document
    source = TomlLines(Path("onbrand.toml"), text)
    assert {keys: source.line_of(*keys) for keys in where} == where


@given(documents(), st.sampled_from(["gate", "threshold"]))
def test_a_bad_value_is_reported_on_its_line(
    document: tuple[str, dict[tuple[str | int, ...], int]], key: str
) -> None:
    text, where = document
    if (key,) in where:
        return
    # At the top, as keys below a table would be the table's.
    source = f"# first\n{key} = 7\n{text}"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "onbrand.toml")
        file.write_bytes(source.encode())
        try:
            load_config(file)
        except OnbrandError as error:
            assert (error.line, f'"{key}"' in error.message) == (2, True)
        else:
            raise AssertionError("accepted")


@given(st.text(st.characters(codec="utf-8")) | st.text("[]{}\"'=.#\n abgtepsrnd01"))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "onbrand.toml")
        file.write_bytes(text.encode())
        try:
            load_config(file)
        except OnbrandError as error:
            assert len(str(error).splitlines()) == 1
