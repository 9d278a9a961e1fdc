from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from s2s2.report import build_audit_page, build_report
from tests.report.fake import Runs
from tests.report.learnt import learnt, mixture, tuned
from tests.report.volumes.fake import volume_run

chrome = pytest.importorskip("tests.report.chromium", reason="needs the package websocket-client")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chrome.PROGRAM is None, reason="there is no Chromium (Debian's package chromium)"),
]

WIDTHS = (360, 800, 1280)

BROKEN = """[...document.images].filter(image => !image.complete || image.naturalWidth === 0)
    .map(image => image.alt)"""

# What scrolls within itself may be wider than the page; the page may not.
OVERFLOWING = """[...document.querySelectorAll('body *')].filter(element => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.right > document.documentElement.clientWidth + 1
        && !element.closest('.scroll, .picture, svg svg');
}).map(element => `${element.tagName}.${element.getAttribute('class')}`)"""

HIDDEN_TEXT = """[...document.querySelectorAll('h1, h2, p, td, th, .label')].filter(element =>
    element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 1)
    .map(element => element.textContent)"""

BACKGROUND = "getComputedStyle(document.body).backgroundColor"


@pytest.fixture(scope="module", params=["report", "audit", "volumes"])
def tab(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, run_of: Runs, audited: Path
) -> Iterator[object]:
    folder = tmp_path_factory.mktemp("browser")
    if request.param == "audit":
        page = build_audit_page(audited, folder / "audit.html")
    elif request.param == "volumes":
        page = build_report(volume_run(folder).folder)
    else:
        fake = run_of(arms=("baseline", "duplicate", "duplicate-consistency", "synthetic", "s2s2"))
        page = build_report(learnt(fake, folder, mixture(audited, folder), tuned(folder / "tuned")))
    with chrome.chromium(folder / "profile") as opened:
        opened.open(page)
        yield opened


def test_the_page_opens_without_a_complaint(tab: chrome.Tab) -> None:
    tab.value("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert tab.complaints == []
    assert [url for url in tab.requests if not url.startswith(("data:", "file:"))] == []
    assert sum(url.startswith("file:") for url in tab.requests) == 1


def test_every_image_is_there(tab: chrome.Tab) -> None:
    assert tab.value("document.images.length") > 3
    assert tab.value(BROKEN) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_overflows(tab: chrome.Tab, width: int) -> None:
    tab.resize(width)
    tab.value("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert tab.value("document.documentElement.scrollWidth") <= width
    assert tab.value(OVERFLOWING) == []
    assert tab.value(HIDDEN_TEXT) == []


def test_the_page_has_a_dark_face(tab: chrome.Tab) -> None:
    light = tab.value(BACKGROUND)
    tab.dark(True)
    assert tab.value(BACKGROUND) != light
    tab.dark(False)
    assert tab.value(BACKGROUND) == light


def test_it_prints_on_a4(tab: chrome.Tab) -> None:
    printed = base64.b64decode(tab.call("Page.printToPDF", preferCSSPageSize=True)["data"])
    assert printed.startswith(b"%PDF")
    assert b"/MediaBox [0 0 594.95996 841.91998]" in printed or b"/MediaBox [0 0 595" in printed


OPEN_FRAMES = """[...document.querySelectorAll('.viewer')].map(viewer =>
    [...viewer.querySelectorAll('.frame')].flatMap((each, index) => each.checkVisibility() ? [index] : []))"""


def test_sliders_go_through_slices_by_keyboard(tab: chrome.Tab) -> None:
    before = tab.value(OPEN_FRAMES)
    if not before:
        pytest.skip("no volumes on this page")
    assert all(len(each) == 1 for each in before)
    tab.value("document.querySelector('.viewer input').focus()")
    for key in ("Home", "ArrowRight"):
        for kind in ("keyDown", "keyUp"):
            tab.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode={"Home": 36, "ArrowRight": 39}[key],
            )
    assert tab.value(OPEN_FRAMES) == [[1], *before[1:]]
    assert (
        tab.value("document.querySelector('.viewer input').getAttribute('aria-valuetext')") == "slice 3 of 6"
    )
    assert tab.value("document.querySelector('.viewer .frame:not([hidden]) p').textContent") == "Slice 3 of 6"
