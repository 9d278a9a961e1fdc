"""Folders, cards and settings of someone else run nothing and write nowhere else."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from s2s2.cli import main
from s2s2.data import ClassMap
from s2s2.networks import NetworkCard, NetworkConfig, default_normalisation
from tests.drawn import draw_site

pytestmark = pytest.mark.fault("files of strangers", "refused")
HOSTILE = """
from pathlib import Path

HERE = Path(__file__).parent
(HERE / "IMPORTED").touch()


def spring(*args, **kwargs):
    (HERE / "CALLED").touch()


class Spring:
    __init__ = spring
"""


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module that says when it is imported or called; its folder."""
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "hostile.py").write_text(HOSTILE)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "hostile", raising=False)
    return folder


def network_folder(folder: Path, name: str) -> Path:
    config = NetworkConfig(name, {"a": 1})
    polyp = ClassMap.parse(["background=0", "polyp=255"])
    card = NetworkCard(config, 3, 64, None, polyp, default_normalisation(3), {"train": ("a",)}, "s2s2", 0)
    folder.mkdir()
    content = {"format": 1, **card.to_dict(), "weights_sha256": "0"}
    (folder / "network.json").write_text(json.dumps(content))
    (folder / "weights.safetensors").write_bytes(b"")
    return folder


@pytest.mark.parametrize("name", ["hostile.Spring", "hostile:Spring", "hostile.spring", "hostile:spring"])
def test_a_network_of_someone_else_is_not_imported(
    name: str, hostile: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw_site(tmp_path / "home", cases=2, seed=0, shape=(40, 40))
    network = str(network_folder(tmp_path / "network", name))
    predict = ["predict", network, str(tmp_path / "home"), "--output", str(tmp_path / "out")]
    assert main(predict) == 2
    assert f"--trust {name}" in capsys.readouterr().err
    assert not (hostile / "IMPORTED").exists()
    assert main([*predict, "--trust", "os:system", "--trust", name]) == 2
    assert "expected a subclass of torch.nn.Module" in capsys.readouterr().err
    assert (hostile / "IMPORTED").exists()
    assert not (hostile / "CALLED").exists()


@pytest.mark.parametrize(
    "settings",
    [
        {"network": {"name": "hostile.Spring"}},
        {"network": {"name": "hostile:Spring"}},
        {"network.name": "hostile.Spring"},
        {"audit": {"network": {"name": "hostile.Spring"}}},
        {"stack": {"generator": "composite:2,hostile:Spring(a=1):3"}},
        {"arms": ["baseline", "s2s2@hostile:Spring"]},
        {"network": {"class_path": "hostile.Spring"}},
        {"network": "hostile.Spring"},
        {"network": {"init_args": {"a": {"class_path": "hostile.Spring"}}}},
        {"network": {"init_args": {"a": [{"class_path": "hostile.Spring"}]}}},
        {"network": {"init_args": {"a": '{"class_path": "hostile.Spring"}'}}},
        {"network": {"init_args": {"a": '{"class\\u005fpath": "hostile.Spring"}'}}},
        {"network.init_args.a": {"class_path": "hostile.Spring"}},
        {"class_path": "hostile.Spring"},
        {"trust": ["hostile.Spring"], "network": {"name": "hostile.Spring"}},
        {"config": "more.yaml"},
    ],
)
@pytest.mark.parametrize("inline", [False, True])
def test_settings_of_someone_else_import_nothing(
    settings: dict[str, object],
    inline: bool,
    hostile: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "more.yaml").write_text("network: {name: hostile.Spring}\n")
    (tmp_path / "settings.yaml").write_text(json.dumps(settings))
    config = json.dumps(settings) if inline else "settings.yaml"
    typed = ["--data", "home", "--output", "run", "--config", config, "--dry-run"]
    assert main(["run", *typed]) == 2
    assert capsys.readouterr().err.startswith("s2s2: ")
    assert not (hostile / "IMPORTED").exists()


def test_a_file_of_a_group_of_settings_imports_nothing(
    hostile: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "network.yaml"
    for text in (
        "name: hostile.Spring",
        "class_path: hostile.Spring",
        "init_args: {a: {class_path: hostile.Spring}}",
    ):
        file.write_text(text)
        assert main(["run", "--data", "home", "--output", "run", "--network", str(file), "--dry-run"]) == 2
    assert not (hostile / "IMPORTED").exists()
    assert "a file names no class" in capsys.readouterr().err


def test_what_is_typed_is_trusted_by_itself(hostile: Path, tmp_path: Path) -> None:
    from s2s2.cli.options import read_options
    from s2s2.cli.run import Options

    file = tmp_path / "settings.yaml"
    file.write_text("network: {name: hostile.Spring}\nstack: {generator: 'hostile:Spring'}\n")
    words = ["--data", "home", "--output", "run", "--config", str(file)]
    by_word = read_options(Options, "run", [*words, "--network.name", "hostile:Spring"])
    allowed = read_options(Options, "run", [*words, "--trust", "hostile:Spring"])
    assert by_word.stack.generator == allowed.stack.generator == "hostile:Spring"
    assert not (hostile / "IMPORTED").exists()


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [1]\nb: *a",
        "[" * 2000 + "]" * 2000,
        "data: 2020-01-01",
        "data: !!binary aGk=",
        "size: " + "1" * 2**21,
    ],
)
def test_settings_that_are_not_plain_are_refused_at_once(text: str, tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(text)
    assert main(["run", "--data", "home", "--output", "run", "--config", str(file), "--dry-run"]) == 2


@pytest.mark.parametrize("name", ["arms", "stack", "judges", "report.html"])
def test_nothing_is_written_through_a_link_in_a_folder(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw_site(tmp_path / "home", cases=4, seed=0, shape=(40, 40))
    elsewhere, run = tmp_path / "elsewhere", tmp_path / "run"
    elsewhere.mkdir()
    run.mkdir()
    (run / name).symlink_to(elsewhere / "page.html" if name == "report.html" else elsewhere)
    (run / "config.yaml").write_text("data: home\noutput: run\n")
    home = str(tmp_path / "home")
    for words in (
        ["run", "--data", home, "--output", str(run)],
        ["report", str(run)],
        ["predict", str(run), home, "--output", str(tmp_path / "masks")],
        ["audit", str(run), "--data", home],
    ):
        assert main(words) == 2
        assert f"{name} is a link that leads out of" in capsys.readouterr().err
    assert not any(elsewhere.iterdir())
