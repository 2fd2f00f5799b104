"""The command line as a process of its own: imports, pipes, permissions."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli_runner import BRANDS, OATFOLK_DRAFT, OFF_BRAND, tree

ONBRAND = [sys.executable, "-m", "onbrand"]
SERVERS_AND_TRAINING = {
    "alembic",
    "onnx",
    "optimum",
    "pydantic",
    "pygls",
    "scipy",
    "sklearn",
    "slack_bolt",
    "sqlalchemy",
    "torch",
    "transformers",
}
"""What a writer's laptop does not have, or need not load."""
ENGINE = {"numpy", "onnxruntime", "safetensors", "tokenizers"}


def after(setup: str) -> list[str]:
    """Return the start of a command line that runs onbrand when ``setup`` has changed the process.

    Not subprocess' preexec_fn, which is not safe, and warned of, where there are threads.
    """
    execute = (
        "import os, sys; os.execv(sys.executable, [sys.executable, '-m', 'onbrand', *sys.argv[1:]])"
    )
    return [sys.executable, "-c", f"{setup}\n{execute}"]


def onbrand(
    *arguments: str | Path, start: list[str] = ONBRAND, **options: object
) -> subprocess.CompletedProcess[str]:
    command = [*start, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", **options)


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line of an error."""
    assert (done.returncode, done.stdout) == (2, ""), done
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


def loaded_by(code: str) -> set[str]:
    """Return the top-level packages that a new process has loaded after ``code``."""
    report = "import sys; sys.__stderr__.write('\\n' + ' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in done.stderr.splitlines()[-1].split()}


def as_command(*arguments: str | Path) -> str:
    return (
        "import sys\n"
        "from onbrand_cli import main\n"
        f"sys.argv[1:] = {[str(argument) for argument in arguments]!r}\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert end.code in (0, 1), end.code\n"
    )


# What gets loaded.


def test_a_check_loads_nothing_that_a_laptop_does_not_need(example_voices: Path) -> None:
    loaded = loaded_by(as_command("check", OATFOLK_DRAFT, "--voices", example_voices))
    assert loaded >= {"onbrand", "numpy", "onnxruntime", "tokenizers"}
    assert loaded & SERVERS_AND_TRAINING == set()


@pytest.mark.parametrize("form", ["json", "sarif", "github", "junit"])
def test_formats_for_programs_load_no_terminal(example_voices: Path, form: str) -> None:
    command = ["check", OATFOLK_DRAFT, "--voices", example_voices / "oatfolk", "--format", form]
    loaded = loaded_by(as_command(*command))
    assert loaded & (SERVERS_AND_TRAINING | {"markdown_it", "pygments"}) == set()


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        ("import onbrand", {*ENGINE, "msgspec", "pyromark", "rich", "typer"}),
        (as_command("--help"), {*ENGINE, "markdown_it", "msgspec", "pyromark", "rich"}),
        (as_command("check", "--help"), {*ENGINE, "markdown_it", "msgspec", "pyromark", "rich"}),
        ("import onbrand.config", {*ENGINE, "pyromark", "rich", "typer"}),
        ("import onbrand.document.document", {*ENGINE, "rich", "typer"}),
        ("import onbrand.report", {*ENGINE, "pyromark", "typer"}),
        ("import onbrand.labels.files", {*ENGINE, "pyromark", "rich", "typer"}),
        ("import onbrand.encoder", {"rich", "typer"}),
        ("import onbrand.voice.storage", {"onnxruntime", "rich", "typer"}),
        ("import onbrand.scorer", {"rich", "typer"}),
        ("import onbrand_models", {*ENGINE, "rich", "typer"}),
    ],
)
def test_parts_load_no_more_than_they_need(code: str, unwanted: set[str]) -> None:
    loaded = loaded_by(code)
    assert loaded & (unwanted | SERVERS_AND_TRAINING) == set()


def test_every_public_name_loads_alone() -> None:
    import onbrand

    for name in onbrand.__all__:
        loaded_by(f"from onbrand import {name}")


# Pipes and streams.


def test_version_as_a_module() -> None:
    done = onbrand("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("onbrand ")


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_reader_that_goes_away_is_no_error(example_voices: Path, form: str) -> None:
    command = [*ONBRAND, "check", OATFOLK_DRAFT, "--voices", example_voices, "--format", form]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_standard_output_is_told(example_voices: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*ONBRAND, "voices", "list", "--voices", example_voices],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 2
    assert done.stderr == "error: standard output: No space left on device\n"


def test_closed_standard_input_is_told(example_voices: Path) -> None:
    done = onbrand("check", "-", "--voices", example_voices, start=after("import os; os.close(0)"))
    assert refused(done) == "stdin.md: standard input is closed; name a file"


def test_output_is_utf_8_in_every_locale(example_voices: Path, tmp_path: Path) -> None:
    env = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    draft = tmp_path / "entwürfe.md"
    draft.write_text(f"“Naïve” {OFF_BRAND}", encoding="utf-8")
    done = onbrand("check", draft, "--voices", example_voices, "-b", "oatfolk", env=env)
    assert done.returncode == 1
    assert "“Naïve” Our stakeholders" in done.stdout
    assert f"{draft}:1:1: " in done.stdout


# Permissions, which hold for root too once it has given up its privilege to ignore them.


OBEY_PERMISSIONS = after("""
import ctypes
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2
for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
    ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
""")


@pytest.fixture
def project(tmp_path: Path, example_voices: Path) -> Path:
    shutil.copytree(example_voices / "oatfolk", tmp_path / "voices" / "oatfolk")
    (tmp_path / "draft.md").write_text(OFF_BRAND)
    (tmp_path / "shut").mkdir()
    (tmp_path / "shut" / "out.json").write_text("old")
    (tmp_path / "shut").chmod(0o555)
    return tmp_path


@pytest.mark.skipif(sys.platform != "linux", reason="drops a capability of Linux")
@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            "check secret.md",
            "secret.md: cannot be read (Permission denied); check the path and its permissions",
        ),
        (
            "check draft.md --format json -o shut/out.json",
            "shut/out.json: cannot be written (Permission denied); nothing was changed, "
            "name another place",
        ),
        (
            "check draft.md --baseline shut/known.json --update-baseline",
            "shut/known.json: cannot be written (Permission denied); nothing was changed, "
            "name another place",
        ),
        (
            "train labels.jsonl -o shut",
            "{folder}/shut: is no folder to write to; choose another output folder",
        ),
    ],
)
def test_permissions(project: Path, command: str, message: str) -> None:
    shutil.copy(BRANDS / "oatfolk.jsonl", project / "labels.jsonl")
    (project / "secret.md").write_text(OFF_BRAND)
    before = tree(project)
    (project / "secret.md").chmod(0)
    done = onbrand(*command.split(), cwd=project, start=OBEY_PERMISSIONS)
    assert refused(done) == message.format(folder=project)
    (project / "secret.md").chmod(0o644)
    assert tree(project) == before


@pytest.mark.skipif(sys.platform != "linux", reason="drops a capability of Linux")
def test_a_read_only_store_is_told(project: Path) -> None:
    (project / "store").mkdir()
    store = project / "store" / "labels.db"
    labels = ["labels", "import", BRANDS / "oatfolk.jsonl", "--db", store]
    assert onbrand(*labels).returncode == 0
    store.chmod(0o444)
    store.parent.chmod(0o555)
    more = [
        BRANDS / "quillpot.jsonl" if item == BRANDS / "oatfolk.jsonl" else item for item in labels
    ]
    message = refused(onbrand(*more, start=OBEY_PERMISSIONS))
    assert message.startswith(f"{store}: ")
    assert "read-only" in message
