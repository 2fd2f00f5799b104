"""``brand_key``: the key of front matter that names the brand."""

from __future__ import annotations

from pathlib import Path

import pytest

from onbrand.config import explain, settings_for
from onbrand.document.directives import read_front_matter
from onbrand.document.document import parse
from onbrand.document.positions import LineIndex
from onbrand_lsp.features.lookup import brand_key

YAML = "---\nbrand: Nike\n'x.y': \"acme\" # ours\n---\nHello there, all of you.\n"
TOML = '+++\nbrand = "Nike"\n"x.y" = "acme"\n+++\nHello there, all of you.\n'


@pytest.mark.parametrize("source", [YAML, TOML])
def test_the_key_that_is_asked_for_counts_alone(source: str) -> None:
    assert parse(source).brand == "Nike"
    assert parse(source, brand_key="x.y").brand == "acme"
    assert parse(source, brand_key="x-y").brand is None
    lines = LineIndex(source)
    assert [brand_key(source, lines, key) for key in ("brand", "x.y", "x-y")] == [1, 2, None]


def test_a_key_is_no_pattern() -> None:
    assert read_front_matter("---\nxzy: acme\n---\n", "x.y").brand is None
    assert read_front_matter("---\nx: acme\n---\n", "(").brand is None


def test_the_configuration_says_which(tmp_path: Path) -> None:
    (tmp_path / "onbrand.toml").write_text(
        'root = true\n[[paths]]\nglob = "shop/**"\nbrand_key = "x.y"\n'
    )
    for name, key, brand in (("shop/a.md", "x.y", "acme"), ("a.md", "brand", "Nike")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(YAML)
        assert settings_for(tmp_path / name).brand_key == key
        (shown,) = [one for one in explain(tmp_path / name) if one.key == "brand"]
        assert (shown.value, shown.kind) == (brand, "front matter")
