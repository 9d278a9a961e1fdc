"""Training pairs: a real image and a second view of its mask, under the same random geometry."""

from __future__ import annotations

import operator
from contextlib import suppress
from typing import Any, Literal, SupportsIndex

import numpy as np
import torch
from torch.utils import data

from s2s2.core.streams import stream
from s2s2.core.types import Image, Region
from s2s2.data.dataset import Dataset
from s2s2.data.transforms.acquisition import Acquisition
from s2s2.data.transforms.affine import PairedGeometry, Views
from s2s2.data.transforms.config import AcquisitionConfig, GeometryConfig, PhotometricConfig, SLAugConfig
from s2s2.data.transforms.location_scale import global_view, local_view
from s2s2.data.transforms.photometric import photometric
from s2s2.errors import ConfigError, StackError
from s2s2.stack.live import LiveStack
from s2s2.stack.marks import Marks
from s2s2.stack.store import Stack

View = Literal["stack", "real"]
Marked = Literal["keep", "leave-out", "mask"]


class PairedDataset(data.Dataset[dict[str, Any]]):
    """Training cases with a second view of each mask, ready for `SemanticStacking`.

    The second view is a copy of the stack, or the real image again; with view None
    there is none. Both views share one random geometry; light and colour are drawn for
    each. Artefacts of acquisition are applied to the second view; where there is none, to
    half of the images. The copies of a case come in a random order, each once in `depth`
    epochs; a live stack makes a new one in every epoch. With `paired=False` there is one
    view, a copy of the stack or the real image, each with probability one half: the stack
    as a plain augmentation. With `slaug` the image is its global location-scale view, in the
    place of light and colour, and the local view stands beside it, with the same artefacts if any.

    Marked copies (`Stack.marks`) are replaced by other copies of the case, or by its real
    image where none is left. With `marked="mask"` copies that are only unfaithful are kept,
    and the pixels that disagree with the mask are returned, to be ignored.

    All random draws depend on (seed, case, epoch): any number of workers gives the same
    bytes. An index alone goes on by itself: the first time that a case is asked for is
    its epoch 0, the next time epoch 1. So `DataLoader(pairs, shuffle=True)` shows each
    case another copy in every pass, with any workers, persistent or not, whose
    processes share the count. A pair (index, epoch) names the epoch and is not counted:
    give these where a training is to go on after a stop, or runs in several processes.

    Args:
        dataset: Training cases on the working grid.
        stack: Their stack, stored or live; needed for view "stack" and then verified.
        view: "stack", "real" or None; default: "stack" where a stack is given, else None.
        side: Height and width of what is returned, in pixels: the padded side of the
            working grid.
        patch: Height and width of a random crop instead, in pixels.
        geometry: Ranges of the shared geometry; None: the defaults.
        photometric: Ranges of light and colour; None switches them off.
        acquisition: Ranges of the artefacts of acquisition; None switches them off.
        slaug: How the location-scale views are drawn; None: there are none.
        marked: "leave-out" draws no marked copy; "mask" draws unfaithful ones with the
            map of their disagreement, "keep" draws all.
        paired: Whether a copy stands beside the real image of its mask, or in its place.
        seed: Of all random draws.

    Raises:
        StackError: If the stack is missing or does not belong to the cases.
        ConfigError: If `view` or `marked` is none of these, or views that are no copies are
            not to be paired.

    Shape:
        - image, synthetic, local: (channel, side, side) float32 in [0, 1], padding 0.
        - mask: (side, side) int64, padding 0.
        - ignore: (side, side) bool, True where the synthetic image must not be learnt
          from; only with view "stack", marked "mask" and paired.
    """

    def __init__(
        self,
        dataset: Dataset,
        stack: Stack | LiveStack | None = None,
        *,
        side: int,
        view: View | Literal["auto"] | None = "auto",
        patch: int | None = None,
        geometry: GeometryConfig | None = None,
        photometric: PhotometricConfig | None = None,
        acquisition: AcquisitionConfig | None = None,
        slaug: SLAugConfig | None = None,
        marked: Marked = "leave-out",
        paired: bool = True,
        seed: int = 0,
    ) -> None:
        if view == "auto":
            view = None if stack is None else "stack"
        if view not in ("stack", "real", None):
            raise ConfigError(f'view is {view!r}, expected "stack", "real" or None.')
        if marked not in ("keep", "leave-out", "mask"):
            raise ConfigError(f'marked is {marked!r}, expected "keep", "leave-out" or "mask".')
        if view == "real" and not paired:
            raise ConfigError('paired=False is for view "stack": a real image alone is view None.')
        if view == "stack":
            if stack is None:
                raise StackError('view "stack" needs a stack, got None. Give one, or choose view "real".')
            stack.verify(dataset)
        self.dataset = dataset
        self.stack = stack if view == "stack" else None
        self.view = view
        self.marked = marked
        self.paired = paired
        self.seed = operator.index(seed)
        self._asked = _shared(torch.zeros(len(dataset), dtype=torch.int64))
        self._marks: Marks = {} if self.stack is None or marked == "keep" else self.stack.marks
        self._drawn = {case_id: self._allowed(case_id) for case_id in dataset.ids}
        self._geometry = PairedGeometry(patch or side, geometry)
        self._photometric = photometric
        self._slaug = slaug
        self._acquisition = None if acquisition is None else Acquisition(acquisition, dataset.size)

    def __len__(self) -> int:
        """Return the number of cases."""
        return len(self.dataset)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._asked = _shared(self._asked)  # a copy counts for itself, a worker with its parent

    def __getitem__(self, place: SupportsIndex | tuple[SupportsIndex, SupportsIndex]) -> dict[str, Any]:
        """Return the pair of a case in an epoch.

        Args:
            place: (index of the case, epoch); an index alone is of the case's next epoch.
                Integers of any kind.

        Returns:
            "image", "mask", "case" (its id), "copy" (its number, -1 where the second
            view is no copy), unless the view is None "synthetic", with marked
            "mask" "ignore", and with slaug "local".
        """
        if isinstance(place, tuple):
            index, epoch = (operator.index(number) for number in place)
        else:
            index = operator.index(place)
            epoch = int(self._asked[index])
            self._asked[index] += 1
        case = self.dataset[index]
        image, which = self.dataset.image(case), "image"
        number, second = self._second(case.id, image, epoch)
        if second is not None and not self.paired:
            image, second, which = second, None, "synthetic"
        mask = self.dataset.mask(case)
        views = self._geometry(
            image,
            second,
            mask,
            stream(self.seed, "geometry", case.id, epoch),
            self._ignore(case.id, number, mask.shape),
        )
        name = (case.id, epoch)
        item = {
            **self._real(views, which, name),
            "mask": torch.from_numpy(views.mask.astype(np.int64)),
            "case": case.id,
            "copy": number,
        }
        if views.synthetic is not None:
            second = self._lit(views.synthetic, views.inside, "synthetic", name)
            item["synthetic"] = _tensor(self._acquired(second, views.inside, name))
        if views.ignore is not None:
            item["ignore"] = torch.from_numpy(views.ignore)
        return item

    def copy_number(self, case_id: str, epoch: SupportsIndex) -> int:
        """Return which copy of the stack a case shows in an epoch, -1 where all are left out.

        Raises:
            StackError: If there is no stack.
        """
        if self.stack is None:
            raise StackError(f'view is {self.view!r}, so there are no copies. Give a stack and view "stack".')
        if self.stack.depth is None:
            return operator.index(epoch)
        drawn = self._drawn[case_id]
        if not drawn:
            return -1
        cycle, place = divmod(operator.index(epoch), len(drawn))
        order = stream(self.seed, "copy", case_id, cycle).permutation(len(drawn))
        return drawn[int(order[place])]

    @property
    def _masks(self) -> bool:
        """Whether pixels of a copy are ignored; only beside a real image that is learnt from whole."""
        return self.marked == "mask" and self.paired

    def _allowed(self, case_id: str) -> tuple[int, ...]:
        """Return the copies that are drawn: unmarked ones, and those whose wrong pixels can be ignored."""
        marks = self._marks.get(case_id, {})
        numbers = range(self.stack.depth or 0 if self.stack else 0)
        return tuple(n for n in numbers if n not in marks or self._disputed(case_id, n) is not None)

    def _disputed(self, case_id: str, number: int) -> Region | None:
        """Return where a copy that is unfaithful and nothing worse disagrees with its mask."""
        marks = self._marks.get(case_id, {}).get(number, ())
        if self.stack is None or not self._masks or marks != ("unfaithful",):
            return None
        return self.stack.disagreement(case_id, number)

    def _ignore(self, case_id: str, number: int, shape: tuple[int, ...]) -> Region | None:
        """Return which pixels of a copy are to be ignored; None where all are learnt from."""
        if self.stack is None or not self._masks:
            return None
        disputed = self._disputed(case_id, number)
        return np.zeros(shape, bool) if disputed is None else disputed

    def _second(self, case_id: str, image: Image, epoch: int) -> tuple[int, Image | None]:
        """Return the number of the copy and the second view, before all changes."""
        if self.stack is None:
            return -1, image if self.view == "real" else None
        if not self.paired and stream(self.seed, "real or copy", case_id, epoch).random() < 0.5:
            return -1, None
        number = self.copy_number(case_id, epoch)
        return number, image if number < 0 else self.stack.copy(case_id, number)

    def _real(self, views: Views, which: str, name: tuple[str, int]) -> dict[str, torch.Tensor]:
        """Return what is shown of the real image, or of the copy in its place."""
        if self._slaug is None:
            shown = {"image": self._lit(views.image, views.inside, which, name)}
        else:
            rng = stream(self.seed, "location and scale", *name)
            shown = {
                "image": global_view(views.image, rng, views.inside),
                "local": local_view(views.image, views.mask, rng, self._slaug, views.inside),
            }
        if self.view is None or which == "synthetic":
            shown = {key: self._acquired(view, views.inside, name) for key, view in shown.items()}
        return {key: _tensor(view) for key, view in shown.items()}

    def _lit(self, view: Image, inside: Region, which: str, name: tuple[str, int]) -> Image:
        """Apply light and colour to one view."""
        if self._photometric is None:
            return view
        rng = stream(self.seed, "photometric", which, *name)
        return photometric(view, rng, self._photometric, inside)

    def _acquired(self, view: Image, inside: Region, name: tuple[str, int]) -> Image:
        """Apply the artefacts of acquisition to one view."""
        if self._acquisition is None:
            return view
        rng = stream(self.seed, "acquisition", *name)
        # A single view is spared every second time, as the first view of a pair always is.
        if self.view is None and rng.random() >= 0.5:
            return view
        return self._acquisition(view, rng, inside)


def _tensor(view: Image) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(view))


def _shared(counts: torch.Tensor) -> torch.Tensor:
    """Put counts where the workers of a loader count with their parent.

    Without shared memory they stay where they are: a loader has no workers there either.
    """
    with suppress(OSError, RuntimeError):
        counts.share_memory_()  # type: ignore[no-untyped-call]
    return counts
