"""The table of docs/datasets.md says what the descriptions say. Run as a program, this writes it."""

from __future__ import annotations

from pathlib import Path

from s2s2.data.catalogue.info import DatasetInfo, describe_dataset, known_datasets

PAGE = Path(__file__).parents[2] / "docs" / "datasets.md"
BEGIN = "<!-- This table is made by `python -m tests.contracts.test_datasets_page`. -->\n\n"
END = "\n<!-- end of the table -->"


def table() -> str:
    rows = [_row(describe_dataset(name)) for name in known_datasets()]
    head = ["| name | what | cases | domains | licence | read |", "|---|---|---|---|---|---|"]
    return "\n".join([*head, *rows]) + "\n"


def _row(info: DatasetInfo) -> str:
    title = f"[{info.title}]({info.page}): {info.what}"
    domains = ", ".join(info.domains) or "one"
    cells = (f"`{info.name}`", title, info.cases, domains, info.licence, info.read)
    return f"| {' | '.join(cells)} |"


def _parts() -> tuple[str, str, str]:
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    found, _, after = rest.partition(END)
    return before, found, after


def test_the_page_shows_the_descriptions() -> None:
    assert _parts()[1] == table(), "write it with: python -m tests.contracts.test_datasets_page"


def test_the_changelog_counts_them() -> None:
    infos = [describe_dataset(name) for name in known_datasets()]
    assert len(infos) == 19
    assert sum(info.is_read for info in infos) == 17
    assert all(info.is_read or info.is_flat for info in infos)


if __name__ == "__main__":
    before, _, after = _parts()
    PAGE.write_text(f"{before}{BEGIN}{table()}{END}{after}", encoding="utf-8")
