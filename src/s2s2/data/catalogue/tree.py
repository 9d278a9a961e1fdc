"""Layout of a public data set as people read it: a tree of one case of each kind."""

from __future__ import annotations

from s2s2.data.catalogue.info import DatasetInfo
from s2s2.data.catalogue.pattern import Pattern

_Tree = dict[str, "_Tree"]


def layout_tree(info: DatasetInfo) -> list[str]:
    r"""Return the lines of a tree with the files of one case for each entry of `files`.

    Example:
        >>> from s2s2.data.catalogue.info import describe_dataset
        >>> print("\n".join(layout_tree(describe_dataset("cvc-clinicdb"))))
        Original/
          1.tif
        Ground Truth/
          1.tif
    """
    tree: _Tree = {}
    for files in info.files:
        for pattern in (files.image, files.mask):
            node = tree
            for name in Pattern(pattern).fill(files.example).split("/"):
                node = node.setdefault(name, {})
            if files.kind == "series":
                node.setdefault("(one file a slice)", {})
            elif files.masks == "folder" and pattern == files.mask:
                node.setdefault("(one file an object)", {})
    return list(_lines(tree, ""))


def _lines(tree: _Tree, indent: str) -> list[str]:
    lines = []
    for name, inner in tree.items():
        lines.append(f"{indent}{name}{'/' if inner else ''}")
        lines += _lines(inner, f"{indent}  ")
    return lines
