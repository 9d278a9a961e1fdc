from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from s2s2.core.inputs import Inputs
from s2s2.data import Dataset
from s2s2.data.identity import identities


def test_a_changed_file_is_named_by_case_and_role(site: Path) -> None:
    before = identities(Dataset.open(site))
    assert identities(Dataset.open(site)) == before
    path = Dataset.open(site)[0].mask_path
    assert path is not None
    os.utime(path, ns=(1, 1))
    assert identities(Dataset.open(site)) == before
    path.write_bytes(path.read_bytes() + b"more")
    (found,) = Inputs(identities(Dataset.open(site))).differences(before)
    assert found.startswith("case_00.mask was ")


def test_group_domain_and_spacing_identify_a_case(site: Path) -> None:
    case = Dataset.open(site)[0]
    before = identities([case])
    for change in ({"group": "p9"}, {"domain": "other"}, {"spacing_mm": (0.5, 0.25)}):
        (found,) = Inputs(identities([replace(case, **change)])).differences(before)  # type: ignore[arg-type]
        assert found.startswith(f"case_00.{next(iter(change))} was ")
    assert "mask" not in identities([replace(case, mask_path=None)])["case_00"]
