"""Pairs for training: an image and a second view of its mask, changed alike."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch.utils import data

from s2s2.data.acquisition import Acquisition, AcquisitionConfig
from s2s2.data.dataset import Dataset
from s2s2.data.ranges import Image
from s2s2.data.streams import stream
from s2s2.data.transforms import GeometryConfig, PairedGeometry, PhotometricConfig, photometric
from s2s2.errors import ConfigError, StackError
from s2s2.stack.store import Stack

View = Literal["stack", "real"]


class PairedDataset(data.Dataset[dict[str, Any]]):
    """Training cases with a second view of each mask, ready for `SemanticStacking`.

    The second view is a copy of the stack, or the real image again; with view None
    there is none. Both views go through one drawn geometry; light and colour are
    drawn for each. Acquisition lies over the second view, and where there is none
    over half of the images. A case's copies come in a random order, each once in
    `depth` epochs.

    All chance depends on (seed, case, epoch): any number of workers gives the same
    bytes.

    Args:
        dataset: Training cases on the working grid.
        stack: Their stack; needed for view "stack" and then verified.
        view: "stack", "real" or None; default: "stack" where a stack is given, else None.
        side: Height and width of what is returned, in pixels: the padded side of the
            working grid.
        patch: Height and width of a random crop instead, in pixels.
        geometry: Ranges of the shared geometry; None: the defaults.
        photometric: Ranges of light and colour; None switches them off.
        acquisition: Ranges of the faults of acquisition; None switches them off.
        seed: Seed of all chance.

    Raises:
        StackError: If the stack is missing or does not belong to the cases.
        ConfigError: If `view` is none of these.

    Shape:
        - image, synthetic: (channel, side, side) float32 in [0, 1], padding 0.
        - mask: (side, side) int64, padding 0.
    """

    def __init__(
        self,
        dataset: Dataset,
        stack: Stack | None = None,
        *,
        side: int,
        view: View | Literal["auto"] | None = "auto",
        patch: int | None = None,
        geometry: GeometryConfig | None = None,
        photometric: PhotometricConfig | None = None,
        acquisition: AcquisitionConfig | None = None,
        seed: int = 0,
    ) -> None:
        if view == "auto":
            view = None if stack is None else "stack"
        if view not in ("stack", "real", None):
            raise ConfigError(f'view is {view!r}, expected "stack", "real" or None.')
        if view == "stack":
            if stack is None:
                raise StackError('view "stack" needs a stack, got None. Give one, or choose view "real".')
            stack.verify(dataset)
        self.dataset = dataset
        self.stack = stack if view == "stack" else None
        self.view = view
        self.seed = seed
        self._geometry = PairedGeometry(patch or side, geometry)
        self._photometric = photometric
        self._acquisition = None if acquisition is None else Acquisition(acquisition, dataset.size)

    def __len__(self) -> int:
        """Return the number of cases."""
        return len(self.dataset)

    def __getitem__(self, place: int | tuple[int, int]) -> dict[str, Any]:
        """Return the pair of a case in an epoch.

        Args:
            place: (index of the case, epoch); an index alone is of epoch 0.

        Returns:
            "image", "mask", "case" (its id), "copy" (its number, -1 where the second
            view is no copy) and, unless the view is None, "synthetic".
        """
        index, epoch = (place, 0) if isinstance(place, int) else place
        case = self.dataset[index]
        image = self.dataset.image(case)
        number, second = self._second(case.id, image, epoch)
        views = self._geometry(
            image, second, self.dataset.mask(case), stream(self.seed, "geometry", case.id, epoch)
        )
        name = (case.id, epoch)
        item = {
            "image": self._finish(views.image, views.inside, "image", name, acquired=second is None),
            "mask": torch.from_numpy(views.mask.astype(np.int64)),
            "case": case.id,
            "copy": number,
        }
        if views.synthetic is not None:
            item["synthetic"] = self._finish(views.synthetic, views.inside, "synthetic", name, acquired=True)
        return item

    def copy_number(self, case_id: str, epoch: int) -> int:
        """Return which copy of the stack a case shows in an epoch.

        Raises:
            StackError: If there is no stack.
        """
        if self.stack is None:
            raise StackError(f'view is {self.view!r}, so there are no copies. Give a stack and view "stack".')
        cycle, place = divmod(epoch, self.stack.depth)
        return int(stream(self.seed, "copy", case_id, cycle).permutation(self.stack.depth)[place])

    def _second(self, case_id: str, image: Image, epoch: int) -> tuple[int, Image | None]:
        """Return the number of the copy and the second view, before all changes."""
        if self.stack is None:
            return -1, image if self.view == "real" else None
        number = self.copy_number(case_id, epoch)
        return number, self.stack.copy(case_id, number)

    def _finish(
        self, view: Image, inside: npt.NDArray[np.bool_], which: str, name: tuple[str, int], *, acquired: bool
    ) -> torch.Tensor:
        """Change light, colour and acquisition of one view."""
        if self._photometric is not None:
            view = photometric(
                view, stream(self.seed, "photometric", which, *name), self._photometric, inside
            )
        if self._acquisition is not None and acquired:
            rng = stream(self.seed, "acquisition", *name)
            # A lone view is spared every second time, as the first view of a pair always is.
            if self.view is not None or rng.random() < 0.5:
                view = self._acquisition(view, rng, inside)
        return torch.from_numpy(np.ascontiguousarray(view))
