"""Options are those of the dataclasses, written in several ways, and read back from files."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Literal

import pytest

import s2s2
from s2s2.cli import COMMANDS, main
from s2s2.cli.command import Command
from s2s2.cli.expected import expected
from s2s2.cli.help import help_of
from s2s2.cli.options import read_options
from s2s2.run.config import StackConfig
from s2s2.run.options import Seeded
from s2s2.run.settings import types_of
from tests.drawn import draw_site

REQUIRED = {
    "run": "--data home --output run",
    "check": "home",
    "split": "home --output split.json",
    "tune": "home --output tuned",
    "stack": "home --output stack",
    "export": "nnunet stack home --output Dataset002_Copies",
    "audit": "stack",
    "train": "home --output trained",
    "predict": "network images --output masks",
    "evaluate": "masks home --output scores.csv",
    "compare": "a.csv b.csv",
    "report": "run",
}
HEAVY = (
    *("torch", "pandas", "scipy", "lightning", "monai", "matplotlib", "tensorboard", "diffusers"),
    *("numpy", "jsonargparse", "yaml", "rich"),
)


def options_of(command: str) -> type[Command]:
    kind: type[Command] = import_module(f"s2s2.cli.{command}").Options
    return kind


def read(command: str, *words: str) -> Command:
    return read_options(options_of(command), command, words)


@pytest.mark.parametrize("form", ["0.6 0.2 0.2", "'[0.6, 0.2, 0.2]'", "'[0.6,0.2,0.2]'"])
def test_a_list_is_written_in_one_way_in_all_commands(form: str) -> None:
    words = [form.strip("'")] if "[" in form else form.split()
    assert read("split", "--fractions", *words, "home", "--output", "s").fractions == (0.6, 0.2, 0.2)
    run = read("run", "--split.fractions", *words, "--data", "home", "--output", "r")
    assert run.split.fractions == (0.6, 0.2, 0.2)


def test_names_are_optional_where_the_usage_says_so() -> None:
    assert read("check", "home") == read("check", "--data", "home") == read("check", "--data=home")
    assert read("compare", "a", "b").scores == (Path("a"), Path("b"))
    named = read("predict", "--network", "n", "--data", "d", "--output", "o", "--overlays", "true")
    assert named == read("predict", "n", "d", "--overlays", "--output", "o")


@pytest.mark.parametrize(
    ("command", "words", "message"),
    [
        ("demo", "--sedes 3", "There is no option --sedes. Did you mean --seeds"),
        ("check", "home away", "'away' is not understood"),
        ("check", "home --groups", "--groups takes a value, and none follows"),
        ("run", "--data home --output run --size large", "--size takes a whole number, got 'large'."),
        ("stack", "--split s.json --output o", "Required, and not given: --data."),
        ("compare", "", "Required, and not given: --scores."),
        (
            "train",
            "a --output o --train 5",
            "--train takes a YAML file of its options, or '{name: value}', got '5'.",
        ),
        ("check", "home --config nowhere.yaml", "--config cannot be read: File does not exist: "),
        (
            "train",
            "home --output o --train.patch abc",
            "--train.patch takes a whole number or null, got 'abc'.",
        ),
        (
            "stack",
            "home --output o --depth sometimes",
            "--depth takes a whole number or live, got 'sometimes'.",
        ),
        (
            "run",
            "--data home --output o --stack.depth 1.5",
            "--stack.depth takes a whole number or live, got '1.5'.",
        ),
        ("stack", "home --output o --bits 9", "--bits takes 8 or 16, got '9'."),
        ("run", "--data home --output o --dry-run maybe", "'maybe' is not understood"),
        ("run", "--data home --output o --audited=maybe", "--audited takes true or false, got 'maybe'."),
        ("split", "home --output o --fractions a b c", "--fractions takes 3 numbers, got "),
        (
            "split",
            "home --output o --counts a b c",
            "--counts takes 3 whole numbers or null, got \"['a', 'b', 'c']\".",
        ),
        (
            "train",
            "home --output o --network.init_args 5",
            "--network.init_args takes values by name, such as ",
        ),
    ],
)
def test_what_cannot_be_read_is_named(
    command: str, words: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, *words.split()]) == 2
    said = capsys.readouterr().err
    assert message in said
    # One paragraph, and none of it in the words of a library.
    assert said.startswith("s2s2: ")
    assert said.endswith(f" See `s2s2 {command} --help`.\n")
    assert said.count("\n") == 1
    assert not re.search(r"Union|Parser key|<class|validate", said)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Path, "a path"),
        (str | None, "a text or null"),
        (Literal["a", "b", "c"] | None, "a, b or c or null"),
        (tuple[str, ...], "one or more texts"),
        (tuple[int, int, int] | None, "3 whole numbers or null"),
        (dict[str, int], "values by name, such as '{name: value}'"),
        (Seeded, "a YAML file of its options, or '{name: value}'"),
        (tuple[Seeded, ...], ""),
    ],
)
def test_every_type_has_its_words(kind: object, words: str) -> None:
    assert expected(kind) == words


def test_every_option_expects_something_that_can_be_said() -> None:
    for command in COMMANDS:
        for name, kind in types_of(options_of(command)):
            assert expected(kind), name


def test_a_command_that_learns_asks_for_a_split(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stack", str(site), "--output", "stack"]) == 2
    assert "Give --split" in capsys.readouterr().err


def test_the_short_form_of_the_generator_is_that_of_the_stack() -> None:
    words = ["--data", "home", "--output", "run", "--stack.depth", "3"]
    assert read("run", *words).stack == StackConfig(depth=3)
    assert read("run", *words, "--generator", "boxes").generator == "boxes"


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_option_has_a_help_text(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    text = capsys.readouterr().out
    for name, kind in types_of(options_of(command)):
        shown = name if "." in name else name.replace("_", "-")
        assert is_dataclass(kind) or re.search(rf"^  --{re.escape(shown)} .*\s+[\w`]", text, re.MULTILINE), (
            name
        )
    assert "<class" not in text


@dataclass(frozen=True, kw_only=True)
class _Inner:
    """Of the inside.

    Args:
        flags: Switches by name.
        kind: One of two. Its
            text has two lines.
    """

    flags: dict[str, int] = field(default_factory=dict)
    kind: Literal["a", "b"] | None = None


@dataclass(frozen=True, kw_only=True)
class _Sample(Command, Seeded):
    """Show what a help is made of.

    Args:
        what: A file.
        seed: Of the sample, whose name and help text are kept apart.
        dry_run: Whether nothing is done.
        pair: Two numbers.
        depth: A number or a word.
        inner: The inside.

    Raises:
        seed: No argument, this one.
    """

    words = ("what",)

    what: Path
    dry_run: bool = False
    pair: tuple[float, float] = (0.5, 1.0)
    depth: int | Literal["live"] | None = None
    inner: _Inner = field(default_factory=lambda: _Inner(kind="b"))


def test_a_help_is_made_of_types_docstrings_and_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "72")
    text = help_of(_Sample, "sample")
    assert text.startswith(
        "usage: s2s2 sample WHAT [options]\n\nShow what a help is made of.\n\noptions:\n  -h, "
    )
    assert text.partition("\n\noptions of this command:\n")[2] == (
        "  --seed N                  Of the sample, whose name and help text\n"
        "                            are kept apart. Default: 0.\n"
        "  --what PATH               A file. Required.\n"
        "  --dry-run {true,false}    Whether nothing is done. Default: false.\n"
        "  --pair X X                Two numbers. Default: 0.5 1.0.\n"
        "  --depth N|live            A number or a word.\n"
        "\nThe inside:\n"
        "  --inner.flags {...}       Switches by name. Default: none.\n"
        "  --inner.kind {a,b}        One of two. Its text has two lines.\n"
        "                            Default: b."
    )


def test_a_help_whose_reader_has_seen_enough_ends_quietly() -> None:
    code = "import sys, time\ntime.sleep(0.3)\nfrom s2s2.cli import main\nsys.exit(main(['run', '--help']))"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141


def test_an_option_that_commands_share_is_declared_once() -> None:
    root = Path(s2s2.__file__).parent
    declared = [
        line.target.id
        for path in (*(root / "cli").glob("*.py"), root / "run" / "config.py", root / "run" / "options.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef)
        for line in node.body
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
    ]
    once = (
        "classes",
        "groups",
        "channels",
        "size",
        "seed",
        "seeds",
        "tolerance",
        "fractions",
        "depth",
        "dry_run",
    )
    assert [name for name in once if declared.count(name) != 1] == []


def test_help_loads_nothing_heavy() -> None:
    code = f"""
import sys
from s2s2.cli import COMMANDS, main
for command in ("", *COMMANDS):
    main([*command.split(), "--help"])
    loaded = [name for name in {HEAVY!r} if name in sys.modules]
    sys.stderr.write(f"{{command}}: {{loaded}}" if loaded else "")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_a_check_loads_no_torch_and_an_evaluation_no_lightning(tmp_path: Path) -> None:
    site = str(draw_site(tmp_path / "site", cases=4, foreground=1))
    check = ["check", site]
    predicted = str(shutil.copytree(f"{site}/masks", tmp_path / "predicted"))
    evaluate = ["evaluate", predicted, site, "--output", str(tmp_path / "scores.csv")]
    for words, heavy in (
        (check, ("torch", "pandas", "lightning", "monai")),
        (evaluate, ("lightning", "monai")),
    ):
        code = (
            f"import sys\nfrom s2s2.cli import main\ncode = main({words!r})\n"
            f"sys.exit(code or str([name for name in {heavy!r} if name in sys.modules]))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.stderr.strip().endswith("[]"), done.stderr
