"""What a chain and a mixture have in common: they are made of generators."""

from __future__ import annotations

from pathlib import Path

from s2s2.generators.protocol import Generator, common_traits, place_parts, tunables


class Composed:
    """A generator made of others; it answers for all of them."""

    @property
    def parts(self) -> tuple[Generator, ...]:
        """The generators that it is made of."""
        raise NotImplementedError

    @property
    def traits(self) -> frozenset[str]:
        """What all parts promise."""
        return common_traits(self.parts)

    @property
    def case_ids(self) -> tuple[str, ...]:
        """The cases that any part has seen; none until all are fitted."""
        if not all(part.case_ids for part in self.parts):
            return ()
        return tuple(dict.fromkeys(name for part in self.parts for name in part.case_ids))

    @property
    def weights(self) -> str:
        """The digests of the parts' weights, joined by '+'; "" where no part has any."""
        return "+".join(part.weights for part in tunables(self) if part.weights)

    @property
    def tuned(self) -> bool:
        """Whether every part that has to be tuned is."""
        return all(part.tuned for part in tunables(self))

    @property
    def folder(self) -> Path | None:
        """Where the weights of the first part that is tuned lie; None until all such parts are placed."""
        folders = [part.folder for part in tunables(self)]
        return folders[0] if folders and all(folders) else None

    def place(self, folder: Path) -> None:
        """Give each part that is tuned a folder in this one, of its own name."""
        place_parts(tunables(self), folder)
