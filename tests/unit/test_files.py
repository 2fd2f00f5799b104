from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from onbrand.errors import OnbrandError
from onbrand.files import read_text, replace_folder, write_atomic


def test_text_comes_as_it_is_but_for_the_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_bytes("\ufeffOne\r\nTwo\rThree\u2028\ufeffFour".encode())
    assert read_text(path) == "One\r\nTwo\rThree\u2028\ufeffFour"


def test_limits_count_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("ä" * 512, encoding="utf-8")
    assert read_text(path, max_bytes=1024) == "ä" * 512
    with pytest.raises(OnbrandError, match=r"a\.md: is longer than"):
        read_text(path, max_bytes=1023)


def test_nul_marks_a_binary_file_only_when_there_are_many(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_bytes(b"x" * 999 + b"\0")
    assert read_text(path).endswith("x\0")
    path.write_bytes(b"x" * 998 + b"\0")
    with pytest.raises(OnbrandError, match="looks like a binary file"):
        read_text(path)


@pytest.mark.parametrize("name", ["missing", ".", "bad\0name", "x" * 5000])
def test_what_cannot_be_opened_is_one_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(OnbrandError) as caught:
        read_text(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert ";" in caught.value.message  # the hint


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_can_be_written_but_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OnbrandError, match=r"is no regular file; name one, or - for standard"):
        read_text(pipe)
    reader = threading.Thread(target=pipe.read_bytes)
    reader.start()
    write_atomic(pipe, "over the pipe")
    reader.join()
    assert pipe.is_fifo()


@pytest.mark.skipif(not Path("/dev/fd").is_dir(), reason="needs /dev/fd")
def test_what_the_shell_has_opened_is_read() -> None:
    """As in ``onbrand check <(pandoc draft.docx)``."""
    end, start = os.pipe()
    os.write(start, b"over the pipe")
    os.close(start)
    assert read_text(Path(f"/dev/fd/{end}")) == "over the pipe"
    os.close(end)


def test_a_link_stays_a_link_and_the_mode_stays(tmp_path: Path) -> None:
    target, link = tmp_path / "deep" / "a.txt", tmp_path / "link"
    write_atomic(target, "old")
    assert target.stat().st_mode & 0o777 == 0o644
    target.chmod(0o600)
    link.symlink_to(target)
    write_atomic(link, b"new")
    assert (link.is_symlink(), target.read_text()) == (True, "new")
    assert target.stat().st_mode & 0o777 == 0o600


def test_a_failed_write_leaves_the_old_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    write_atomic(path, "old")

    def fail(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OnbrandError, match="cannot be written .No space left on device"):
        write_atomic(path, "new")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.txt", "old")]


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    folder = tmp_path / "voice"
    for content in ("one", "two"):
        with replace_folder(folder) as fresh:
            (fresh / content).write_text(content)
        assert [file.name for file in folder.iterdir()] == [content]
    assert [file.name for file in tmp_path.iterdir()] == ["voice"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, OnbrandError])
def test_a_folder_survives_what_breaks_its_replacement(
    tmp_path: Path, error: type[BaseException]
) -> None:
    folder = tmp_path / "voice"
    with replace_folder(folder) as fresh:
        (fresh / "old").write_text("old")
    with (
        pytest.raises(OnbrandError if error is OSError else error),
        replace_folder(folder) as fresh,
    ):
        (fresh / "new").write_text("new")
        raise error("no")
    assert [file.name for file in tmp_path.rglob("*")] == ["voice", "old"]


def test_an_interrupt_between_the_two_renames_brings_the_old_folder_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "voice"
    with replace_folder(folder) as fresh:
        (fresh / "old").write_text("old")
    rename = Path.rename
    moves = []

    def interrupted(path: Path, target: Path) -> Path:
        moves.append(path)
        if len(moves) == 2:
            raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt), replace_folder(folder) as fresh:
        (fresh / "new").write_text("new")
    assert len(moves) == 3
    assert [file.name for file in tmp_path.rglob("*")] == ["voice", "old"]


def test_a_link_to_a_folder_stays_one(tmp_path: Path) -> None:
    folder, link = tmp_path / "voice", tmp_path / "link"
    folder.mkdir()
    link.symlink_to(folder.name)
    with replace_folder(link) as fresh:
        (fresh / "new").write_text("new")
    assert link.is_symlink()
    assert [file.name for file in folder.iterdir()] == ["new"]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["link", "voice"]


def test_what_a_killed_process_left_goes_a_day_later(tmp_path: Path) -> None:
    folder = tmp_path / "voice[1]"
    old, recent, other = (
        tmp_path / name
        for name in (".voice[1].aaaaaaaa.tmp", ".voice[1].bbbbbbbb.tmp", ".voice1.aaaaaaaa.tmp")
    )
    for left in (old, recent, other):
        left.mkdir()
        (left / "half").write_text("half")
    for left in (old, other):
        os.utime(left, (time.time() - 25 * 3600,) * 2)
    with replace_folder(folder):
        pass
    assert sorted(tmp_path.iterdir()) == sorted([folder, recent, other])
