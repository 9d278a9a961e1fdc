"""One copy of a stack is read and decoded without the others, from 8 or 16 bit."""

from __future__ import annotations

import builtins
import dataclasses
import io
from pathlib import Path

import pytest

from s2s2.stack import build_stack
from s2s2.stack.store import case_path
from tests.stack.made import Echo, opened


@pytest.mark.parametrize("bits", [8, 16])
def test_one_copy_is_read_alone(
    site: Path, tmp_path: Path, bits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, split = opened(site, size=56)
    stack = build_stack(Echo(), dataset, split, tmp_path / "stack", depth=16, seed=0, bits=bits)
    case_id = stack.ids[0]
    stack.copy(case_id, 0)
    index = stack._indices[case_id]
    read, decoded = [], []

    class Counting(io.FileIO):
        def read(self, size: int = -1, /) -> bytes:
            found = super().read(size)
            read.append(len(found))
            return found

    def decode(data: bytes, out: object) -> object:
        decoded.append(len(data))
        return index.decoder(data, out=out)

    stack._indices[case_id] = dataclasses.replace(index, decoder=decode)
    monkeypatch.setattr(builtins, "open", lambda path, *_, **__: Counting(path))
    stack.copy(case_id, 9)
    monkeypatch.undo()
    assert len(decoded) == 3  # one strip a channel
    assert sum(read) == sum(decoded) < case_path(stack.path, case_id).stat().st_size / 15
