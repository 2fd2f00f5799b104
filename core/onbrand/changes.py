"""What differs from a commit in git, and which sentences of a draft that touches."""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

from onbrand.document.directives import BRAND_KEY
from onbrand.document.document import Document, Sentence, parse
from onbrand.errors import OnbrandError

_DIFF = (
    *("diff-index", "--patch", "--unified=0", "--find-renames", "--submodule=diff"),
    *("--no-color", "--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/"),
)
_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_SUBMODULE = re.compile(rb"Submodule (.+) [0-9a-f]+\.{2,3}[0-9a-f]+ \((?:commits not|new sub).*\)")
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.S)
_CHARACTERS = {
    b"a": b"\a",
    b"b": b"\b",
    b"t": b"\t",
    b"n": b"\n",
    b"v": b"\v",
    b"f": b"\f",
    b"r": b"\r",
}
_QUOTED = rb'"(?:[^"\\]|\\.)*"'
_BINARY_QUOTED = re.compile(rb"(?:" + _QUOTED + rb"|\S+) and (" + _QUOTED + rb")")
_LFS_OBJECT = re.compile(rb"oid sha256:[0-9a-f]{64}\r?")
_MAX_REASON = 200


@dataclass(frozen=True, slots=True)
class Hunk:
    """A stretch of lines that differs."""

    start: int
    """Number of the lines before it in the file as it is now."""
    count: int
    """Number of its lines in the file as it is now."""
    removed: tuple[bytes, ...]
    """The lines that it replaces."""


@dataclass(slots=True)
class FileChange:
    """What differs in a file."""

    hunks: list[Hunk] = field(default_factory=list)
    whole: bool = False
    """Everything in it is new, or no one can say what is."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs in a working tree from the commit at which it left another branch."""

    root: Path
    """The top folder of the working tree, without links in its path."""
    base: str
    """What the user named."""
    commit: str
    """The commit or tree that the files are compared with, in hexadecimal."""
    files: dict[str, FileChange]
    """Path from ``root``, with slashes → what differs."""
    folders: tuple[str, ...] = ()
    """Submodules of which all is new, or no one can say what is, with a slash at the end."""

    def of(self, path: str | Path) -> FileChange | None:
        """Return what differs in a file, None for nothing.

        Raises:
            OnbrandError: the file is not in the working tree.
        """
        place = Path(os.path.realpath(path))
        own = Path(os.path.realpath(Path(path).parent), Path(path).name)
        if own != place and own.is_relative_to(self.root):  # a link, which may be new itself
            if own.relative_to(self.root).as_posix() in self.files:
                return FileChange(whole=True)
            if not place.is_relative_to(self.root):
                return None
        if not place.is_relative_to(self.root):
            raise OnbrandError(
                f"is not in the repository {self.root}, of which --diff compares the files",
                path=path,
            )
        name = place.relative_to(self.root).as_posix()
        if name.startswith(self.folders):
            return FileChange(whole=True)
        return self.files.get(name)

    def has(self, path: str | Path) -> bool:
        """Return whether something differs in a file."""
        try:
            return self.of(path) is not None
        except OnbrandError:
            return False


def changes_since(base: str, folder: Path) -> Changes:
    """Compare the files of a working tree with those of the commit at which its branch began.

    That is the best common ancestor of ``base`` and ``HEAD``, as in a pull request. Changes that
    are not committed count, and so do files that git does not know yet and does not ignore.

    Args:
        base: a commit, branch or tag.
        folder: any folder of the working tree.

    Raises:
        OnbrandError: git is missing, there is no such commit or working tree, or their common
            history is not there.
    """
    root = Path(os.path.realpath(os.fsdecode(_root(folder))))
    commit = _ancestor(root, base)
    patch = _git(root, *_DIFF, commit, "--")
    files, folders = read_patch(patch)
    new = _git(root, "ls-files", "-z", "--others", "--exclude-standard")
    names = [os.fsdecode(name) for name in new.split(b"\0") if name]
    files |= {name: FileChange(whole=True) for name in names}
    clones = [name for name in names if name.endswith("/")]
    return Changes(root, base, commit, files, (*folders, *clones))


def _root(folder: Path) -> bytes:
    try:
        return _git(folder, "rev-parse", "--show-toplevel").removesuffix(b"\n")
    except OnbrandError as error:
        what = f"--diff compares files of a git repository; {folder} is in none"
        raise OnbrandError(f"{what} ({error.message})") from None


def _ancestor(root: Path, base: str) -> str:
    """Return the commit to compare with; the empty tree where nothing is committed yet."""
    commit = None if base.startswith("-") or "\0" in base else _resolve(root, base)
    head = _resolve(root, "HEAD")
    if commit is None and base == "HEAD" and head is None:
        return _git(root, "hash-object", "-t", "tree", "--stdin").decode().strip()
    if commit is None:
        hint = "git fetch it first" if not _is_shallow(root) else _FETCH
        raise OnbrandError(f"--diff: there is no commit {base!r} in {root}; {hint}")
    if head is None:
        return commit
    found = _git(root, "merge-base", commit, head, may_fail=True).decode().split()
    if found:
        return found[0]
    if _is_shallow(root):
        raise OnbrandError(f"--diff: the clone ends before {base!r} and HEAD meet; {_FETCH}")
    return commit  # two histories: everything differs


_FETCH = "fetch more history: git fetch --unshallow, or fetch-depth: 0 in actions/checkout"


def _resolve(root: Path, name: str) -> str | None:
    found = _git(root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", may_fail=True)
    return found.decode().strip() or None


def _is_shallow(root: Path) -> bool:
    return _git(root, "rev-parse", "--is-shallow-repository", may_fail=True).strip() == b"true"


def _git(folder: Path, *arguments: str, may_fail: bool = False) -> bytes:
    """Run git in a folder and return what it prints; nothing where it may fail, and does."""
    # No monitor that a configuration names is started, and nothing is written or asked.
    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false", *arguments]
    settings = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(  # noqa: S603 - fixed words, and hashes that git has printed
            command,
            cwd=folder,
            env={**os.environ, **settings},
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError as error:
        if error.filename != "git":
            raise OnbrandError("no such folder", path=folder) from None
        raise OnbrandError("--diff needs git, which is not on the PATH; install it") from None
    except OSError as error:
        raise OnbrandError(f"git cannot be run ({error.strerror})", path=folder) from None
    if done.returncode and not may_fail:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
        raise OnbrandError(lines[0].removeprefix("fatal: ")[:_MAX_REASON])
    return b"" if done.returncode else done.stdout


def read_patch(patch: bytes) -> tuple[dict[str, FileChange], tuple[str, ...]]:
    """Read a patch of git's, with or without lines of context.

    Returns:
        The files in it as they are called now, and the submodules whose files are not in it.
    """
    files: dict[str, FileChange] = {}
    folders: list[str] = []
    lines = iter(patch.split(b"\n"))
    renamed: bytes | None = None
    now = FileChange()
    for line in lines:
        if line.startswith(b"diff --git "):
            renamed, now = None, FileChange()
        elif line.startswith(b"rename to "):
            renamed = _unquoted(line[10:])
        elif line.startswith(b"+++ "):
            # git ends a name with white space in it by a tab.
            name = _unquoted(line[4:].removesuffix(b"\t"))
            if name != b"/dev/null":
                files[os.fsdecode(name[2:])] = now
        elif line.startswith(b"Binary files "):
            name = renamed or _binary(line[13:].removesuffix(b" differ"))
            files[os.fsdecode(name)] = FileChange(whole=True)
        elif line.startswith(b"* Unmerged path "):
            files[os.fsdecode(_unquoted(line[16:]))] = FileChange(whole=True)
        elif found := _HUNK.match(line):
            old, start, new = int(found[1] or 1), int(found[2]), int(found[3] or 1)
            _read_hunk(lines, now, old, new, start - (new > 0))
        elif found := _SUBMODULE.fullmatch(line):
            folders.append(os.fsdecode(found[1]) + "/")
    return files, tuple(folders)


def _read_hunk(lines: Iterator[bytes], change: FileChange, old: int, new: int, at: int) -> None:
    """Read as many lines as the head of a hunk says; ``at`` counts the lines before it."""
    start, removed = at, list[bytes]()
    while old > 0 or new > 0:
        line = next(lines, None)
        if line is None:
            break
        sign, text = line[:1], line[1:]
        if sign == b"-":
            old -= 1
            removed.append(text)
        elif sign == b"+":
            new -= 1
            at += 1
        elif sign == b"\\":
            continue
        else:
            old, new = old - 1, new - 1
            _close_hunk(change, start, at, removed)
            at += 1
            start, removed = at, []
        change.whole |= sign in (b"-", b"+") and _LFS_OBJECT.fullmatch(text) is not None
    _close_hunk(change, start, at, removed)


def _close_hunk(change: FileChange, start: int, end: int, removed: list[bytes]) -> None:
    if removed or end > start:
        change.hunks.append(Hunk(start, end - start, tuple(removed)))


def _unquoted(name: bytes) -> bytes:
    if not (name.startswith(b'"') and name.endswith(b'"')):
        return name

    def character(found: re.Match[bytes]) -> bytes:
        code = found[1]
        return bytes([int(code, 8) & 0xFF]) if code[:1].isdigit() else _CHARACTERS.get(code, code)

    return _ESCAPE.sub(character, name[1:-1])


def _binary(names: bytes) -> bytes:
    """Return the name in "a/NAME and b/NAME" or "/dev/null and b/NAME"."""
    if quoted := _BINARY_QUOTED.fullmatch(names):
        return _unquoted(quoted[1])[2:]
    for found in re.finditer(rb" and b/", names):
        name = names[found.end() :]
        if names[: found.start()] in (b"a/" + name, b"/dev/null"):
            return name
    return names.rpartition(b" and ")[0].removeprefix(b"a/")  # it is gone


def touched_sentences(
    document: Document, change: FileChange, *, quotes: bool = False, brand_key: str = BRAND_KEY
) -> list[Sentence]:
    """Return the sentences of a draft that a change touches.

    Those are on lines that differ, and read otherwise than any sentence did before: a sentence that
    was only moved, wrapped or formatted anew is as it was.

    Args:
        document: the draft as it is now.
        change: what differs in its file.
        quotes: as for `onbrand.document.document.parse`.
        brand_key: as for `onbrand.document.document.parse`.
    """
    if change.whole:
        return list(document.sentences)
    # git's lines, which end at line feeds alone.
    lines = document.source.split("\n")
    starts = [0, *accumulate(len(line) + 1 for line in lines)]
    near = _on(document.sentences, change.hunks, starts)
    if not near:
        return []
    before = parse(
        _undone(lines, change.hunks),
        document.format,
        quotes=quotes,
        brand_key=brand_key,
        dialect=document.dialect,
        front_keys=document.front_keys,
    )
    known = Counter(sentence.text for sentence in before.sentences)
    places = {sentence.span for sentence in near}
    known.subtract(s.text for s in document.sentences if s.span not in places)
    touched = []
    for sentence in near:
        known[sentence.text] -= 1
        if known[sentence.text] < 0:
            touched.append(sentence)
    return touched


def _on(
    sentences: Sequence[Sentence], hunks: Sequence[Hunk], starts: Sequence[int]
) -> list[Sentence]:
    """Return the sentences on the lines of hunks, or around lines that were removed."""
    found, at = [], 0
    last = len(starts) - 1
    for sentence in sentences:
        while at < len(hunks) and _end(hunks[at], starts, last) <= sentence.span.start:
            at += 1
        if at == len(hunks):
            break
        if starts[min(hunks[at].start, last)] < sentence.span.end:
            found.append(sentence)
    return found


def _end(hunk: Hunk, starts: Sequence[int], last: int) -> int:
    return starts[min(hunk.start + hunk.count, last)]


def _undone(lines: Sequence[str], hunks: Sequence[Hunk]) -> str:
    """Return the text as it was before the change."""
    before: list[str] = []
    at = 0
    for hunk in hunks:
        before += lines[at : hunk.start]
        before += (line.decode("utf-8", "replace") for line in hunk.removed)
        at = hunk.start + hunk.count
    return "\n".join([*before, *lines[at:]])
