"""Every description is whole, and true of itself: its example is found by its own patterns."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
import yaml

from s2s2.data.catalogue import info as module
from s2s2.data.catalogue.info import describe_dataset, known_datasets
from s2s2.data.catalogue.locate import Selection, locate
from s2s2.data.catalogue.pattern import Pattern
from s2s2.data.catalogue.tree import layout_tree
from s2s2.errors import ConfigError

NAMES = known_datasets()
OF_THE_PAPER = {"kvasir-seg", "cvc-clinicdb", "synapse-transunet", "acdc", "chaos", "sabs", "mscmrseg"}


def test_the_data_sets_of_the_field_are_known() -> None:
    others = {
        "polypgen",
        "btcv",
        "acdc-slices",
        "isic2018",
        "ph2",
        "drive",
        "chase-db1",
        "dsb2018",
        "monuseg",
    }
    assert set(NAMES) >= OF_THE_PAPER | others
    assert len({describe_dataset(name).title for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_description_is_whole(name: str) -> None:
    info = describe_dataset(name)
    texts = {key: value for key, value in asdict(info).items() if isinstance(value, str)}
    assert all(text.strip() for text in texts.values())
    assert info.page.startswith("https://")
    assert info.class_map.names[0] == "background"
    assert info.window is None or info.window[0] < info.window[1]
    assert set(info.prompts) == set(info.domains or [name])
    assert all(text[0].isupper() and not text.endswith(("showing", ".")) for text in info.prompts.values())
    assert info.files


@pytest.mark.parametrize("name", NAMES)
def test_patterns_and_rules_can_be_read_and_name_parts_that_are_there(name: str) -> None:
    info = describe_dataset(name)
    for files in info.files:
        told = {*Pattern(files.image).names, *files.ranges}
        assert set(Pattern(files.mask).names) <= set(Pattern(files.image).names)
        assert set(Pattern(files.image).names) == set(files.example)
        for text in (files.case, files.group, files.domain):
            assert set(Pattern(text or "x").names) <= told
        for each in files.ranges.values():
            assert each.of in told
            assert list(each.starts) == sorted(set(each.starts))
        assert bool(files.arrays) == Pattern(files.image).text.endswith((".npz", ".h5"))


@pytest.mark.parametrize("name", NAMES)
def test_files_as_in_the_example_are_found(name: str, tmp_path: Path) -> None:
    info = describe_dataset(name)
    for files in info.files:
        for pattern in (files.image, files.mask):
            path = tmp_path / "around" / Pattern(pattern).fill(files.example)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
    place = locate(Selection(info), tmp_path)
    assert place.problems == ()
    assert len(place.cases) == len(info.files)
    assert {each.case.domain for each in place.cases} <= set(info.domains or [name])
    assert all(each.case.mask_path is not None and each.case.group for each in place.cases)


@pytest.mark.parametrize("name", NAMES)
def test_the_tree_shows_every_file_of_the_example(name: str) -> None:
    info = describe_dataset(name)
    shown = {line.strip().rstrip("/") for line in layout_tree(info)}
    for files in info.files:
        for pattern in (files.image, files.mask):
            assert set(Pattern(pattern).fill(files.example).split("/")) <= shown
        assert ("(one file a slice)" in shown) == (files.kind == "series")


def test_an_unknown_name_is_refused_with_similar_ones() -> None:
    with pytest.raises(ConfigError, match=r"no data set called 'kvasir'\. Did you mean kvasir-seg\?"):
        describe_dataset("kvasir")
    with pytest.raises(ConfigError, match=r"`s2s2 datasets` lists those"):
        describe_dataset("../info")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"licence": 4}, "licence is 4: input should be a valid string"),
        ({"licenses": "x"}, "licenses is"),
        ({"page": None}, "page is null"),
        ({"files": [{"image": "a"}]}, r"files\.0\.mask is missing"),
    ],
)
def test_a_description_of_another_shape_is_refused(
    change: dict[str, object], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Path(module.__file__).parent / "ph2.yaml"
    (tmp_path / "odd.yaml").write_text(yaml.safe_dump({**yaml.safe_load(source.read_text()), **change}))
    monkeypatch.setattr(module, "files", lambda package: tmp_path)
    with pytest.raises(ConfigError, match=said):
        describe_dataset("odd")


def test_the_prompts_of_the_two_cardiac_sequences_are_not_swapped() -> None:
    for name in ("mscmrseg", "slaug-cardiac"):
        prompts = describe_dataset(name).prompts
        assert "gadolinium" in prompts["LGE"]
        assert "steady-state" in prompts["bSSFP"]


def test_labels_of_acdc_are_as_its_page_says() -> None:
    # 1 right ventricle, 2 myocardium, 3 left ventricle: creatis.insa-lyon.fr/Challenge/acdc/evaluation.html
    for name in ("acdc", "acdc-slices"):
        names = describe_dataset(name).class_map.names
        assert names == ("background", "right_ventricle", "myocardium", "left_ventricle")


def test_cross_modality_pairs_have_the_same_classes() -> None:
    for pair in (
        ("sabs", "chaos"),
        ("kvasir-seg", "cvc-clinicdb"),
        ("drive", "chase-db1"),
        ("dsb2018", "monuseg"),
    ):
        first, second = (describe_dataset(name).class_map.names for name in pair)
        assert first == second
