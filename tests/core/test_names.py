from __future__ import annotations

import re

import pytest
from hypothesis import given, strategies as st

from s2s2.core.names import LONGEST, file_name, text_of

TEXTS = st.one_of(
    st.text(),
    st.text(st.characters(codec=None)),  # Lone surrogates too, as undecodable file names give them.
    st.text("./\\~%:aA", max_size=12),
    st.text(min_size=100),
)


@given(TEXTS)
def test_any_text_gives_a_name_that_every_disk_allows(text: str) -> None:
    name = file_name(text)
    assert re.fullmatch(r"[A-Za-z0-9_@+(),=%~.-]+", name)
    assert len(name) <= LONGEST
    assert not name.startswith(".")
    assert not name.endswith(".")


@given(TEXTS)
def test_a_name_gives_its_text_back_unless_it_was_too_long(text: str) -> None:
    name = file_name(text)
    if "~" in name:
        assert len(name) == LONGEST
        assert len(text.encode(errors="surrogatepass")) > LONGEST // 3 - 1
    else:
        assert text_of(name) == text


@given(TEXTS, TEXTS)
def test_two_texts_never_share_a_name(one: str, other: str) -> None:
    assert (file_name(one) == file_name(other)) == (one == other)


@given(st.text(min_size=130))
def test_long_texts_that_begin_alike_have_names_of_their_own(text: str) -> None:
    names = {file_name(text), file_name(text + "a"), file_name(file_name(text)), file_name(text[:-1])}
    assert len(names) == 4


@pytest.mark.parametrize("text", ["con", "NUL.txt", "com1", "Aux"])
def test_the_names_of_devices_are_not_used(text: str) -> None:
    assert file_name(text).startswith("%")
    assert text_of(file_name(text)) == text


@pytest.mark.parametrize("text", ["case_1", "s2s2@diffusion(steps=9)", "patient-03.left", "a+b,c"])
def test_ordinary_names_stay_readable(text: str) -> None:
    assert file_name(text) == text
