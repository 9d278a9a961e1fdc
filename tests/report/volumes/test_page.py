from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from s2s2.report import build_report
from tests.report.fake import FakeRun, Runs
from tests.report.volumes.fake import volume_run


class Viewers(HTMLParser):
    """Collects the tags of every slider with what stands around them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.titles: list[str] = []
        self._open = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = tag

    def handle_data(self, data: str) -> None:
        if self._open == "title" and data.strip():
            self.titles.append(data)

    def every(self, tag: str, kind: str | None = None) -> list[dict[str, str | None]]:
        return [
            each for name, each in self.tags if name == tag and (kind is None or each.get("class") == kind)
        ]


@pytest.fixture(scope="module")
def page(volume_fake: FakeRun, tmp_path_factory: pytest.TempPathFactory) -> str:
    return build_report(volume_fake.copied(tmp_path_factory.mktemp("page")).folder).read_text()


@pytest.fixture(scope="module")
def parsed(page: str) -> Viewers:
    parser = Viewers()
    parser.feed(page)
    return parser


def test_every_shown_volume_has_a_slider(parsed: Viewers) -> None:
    viewers, ranges = parsed.every("div", "viewer"), parsed.every("input")
    assert len(viewers) == len(ranges) >= 4
    for each in ranges:
        assert (each["type"], each["min"], each["step"], each["max"]) == ("range", "0", "1", "3")
        assert re.fullmatch(r"slice [2-5] of 6", each["aria-valuetext"] or "")
    assert len(parsed.every("label", "steps")) == len(ranges)


def test_one_slice_of_each_is_there_without_scripts(parsed: Viewers) -> None:
    frames, ranges = parsed.every("div", "frame"), parsed.every("input")
    assert len(frames) == 4 * len(ranges)
    for number, each in enumerate(ranges):
        open_frames = [place for place, one in enumerate(frames[4 * number :][:4]) if "hidden" not in one]
        assert open_frames == [int(each["value"] or -1)]
    assert all("hidden" in each for each in parsed.every("label", "steps"))


def test_the_page_of_volumes_needs_nothing_else(parsed: Viewers, page: str) -> None:
    (script,) = parsed.every("script")
    assert script == {}
    assert "url(" not in page
    assert "@import" not in page
    names = [attributes["id"] for _, attributes in parsed.tags if "id" in attributes]
    assert len(names) == len(set(names))
    for tag, attributes in parsed.tags:
        link = attributes.get("href") or attributes.get("src") or ""
        if tag in ("image", "img"):
            assert link.startswith("data:image/")
        elif tag == "use":
            assert link[1:] in names
    assert not re.search(r"\bnan\b", re.sub(r'(src|href)="[^"]*"|<path[^>]*>', "", page))


def test_every_slice_has_its_text(parsed: Viewers) -> None:
    drawn = [each for each in parsed.every("svg") if each.get("role") == "img"]
    assert all(each.get("aria-label") for each in drawn)
    assert sum("slice" in (each["aria-label"] or "") for each in drawn) > 20


def test_names_of_volumes_cannot_break_the_page(page: str, parsed: Viewers) -> None:
    assert "p9_&lt;i&gt;&amp;&#34;&#39;b" in page
    assert not parsed.every("i")
    assert "p9_<i>" not in page


def test_a_dot_says_its_volume_and_patient(parsed: Viewers, page: str) -> None:
    assert "p7_a, patient p7" in parsed.titles
    assert "4 volumes of 2 patients" in page
    assert "each dot is one volume; rest the pointer on it to see which, and of which patient" in page


def test_the_page_counts_slices_volumes_and_patients(page: str) -> None:
    assert "divided by patient: 12 slices of 2 volumes of 1 patient to train, 12 slices" in page
    assert "A patient is never split across parts." in page
    assert "24 slices of 4 volumes</td>" in page
    assert "6 slices a volume" in page
    for words in ("axial (6)", "6 x 1.2 x 1.5 mm (slices, rows, columns)", "scaled by its own percentiles"):
        assert words in page
    assert "Measured on 4 volumes of 2 patients away from home" in page
    assert "Each volume was scored as a whole" in page
    text = re.sub(r"<[^>]*>", " ", page[page.index("<main>") : page.index('id="methods"')])
    assert not re.search(r"\bcases\b", text)


def test_distances_are_in_mm_and_volumes_in_ml(page: str) -> None:
    for words in ("HD95 (mm)", "HD95 (mm, lower is better)", "Volume error (ml)"):
        assert words in page


def test_folders_of_the_author_stay_private(page: str, volume_fake: FakeRun) -> None:
    assert str(volume_fake.config.data.parent) not in page
    assert "MB of slices" not in page


def test_what_a_check_says_cannot_break_the_page(volume_fake: FakeRun, tmp_path: Path) -> None:
    fake = volume_fake.copied(tmp_path)
    for path in (fake.folder.root / "check").glob("*.json"):
        content = json.loads(path.read_text())
        content["summary"]["volumes"]["plane"] = "<script>alert(1)</script>"
        path.write_text(json.dumps(content))
    page = build_report(fake.folder).read_text()
    assert page.count("<script>") == 1
    assert "&lt;script&gt;alert(1)" in page


def test_one_arm_is_gone_through_alone(tmp_path: Path) -> None:
    page = build_report(volume_run(tmp_path, arms=("s2s2",)).folder).read_text()
    assert 'class="duo one"' in page
    assert '<input type="range"' in page


def test_flat_images_have_no_slider_and_no_script(run_of: Runs, tmp_path: Path) -> None:
    page = build_report(run_of().copied(tmp_path).folder).read_text()
    assert "<script" not in page
    assert "<input" not in page
