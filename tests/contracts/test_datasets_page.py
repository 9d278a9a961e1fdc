"""The table of docs/datasets.md says what the descriptions say. Run as a program, this writes it."""

from __future__ import annotations

from s2s2.data.catalogue.info import DatasetInfo, describe_dataset, known_datasets
from tests.contracts.made_table import MadeTable

PAGE = MadeTable("datasets.md", "test_datasets_page")


def table() -> str:
    rows = [_row(describe_dataset(name)) for name in known_datasets()]
    head = ["| name | what | cases | domains | licence | read |", "|---|---|---|---|---|---|"]
    return "\n".join([*head, *rows]) + "\n"


def _row(info: DatasetInfo) -> str:
    title = f"[{info.title}]({info.page}): {info.what}"
    domains = ", ".join(info.domains) or "one"
    cells = (f"`{info.name}`", title, info.cases, domains, info.licence, info.read)
    return f"| {' | '.join(cells)} |"


def test_the_page_shows_the_descriptions() -> None:
    assert PAGE.shown == table(), "write it with: python -m tests.contracts.test_datasets_page"


def test_the_changelog_counts_them() -> None:
    infos = [describe_dataset(name) for name in known_datasets()]
    assert len(infos) == 19
    assert sum(info.is_read for info in infos) == 17
    assert all(info.is_read or info.is_flat for info in infos)


if __name__ == "__main__":
    PAGE.write(table())
