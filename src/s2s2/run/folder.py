"""The folder of a run: the path of every file in it, and its records read and written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired

from annotated_types import Interval
from typing_extensions import TypedDict

from s2s2.arms import get_arm
from s2s2.core.names import file_name
from s2s2.core.records import Record
from s2s2.core.storage import read_json, refuse_links, write_json
from s2s2.errors import ConfigError, SplitError
from s2s2.run.settings import FILE, load_config

if TYPE_CHECKING:
    from s2s2.data.checking.report import CheckReport
    from s2s2.evaluation.folder import PredictionFolder
    from s2s2.run.config import RunConfig
    from s2s2.run.data import Source

_Seconds = Annotated[float, Interval(ge=0, lt=1e9)]


@dataclass(frozen=True)
class RunManifest:
    """What was run, on what, and how long it took.

    The settings stand in config.yaml; here stands what only the run knows.

    Args:
        version: Of s2s2.
        created: When the run was started, as ISO 8601 in UTC.
        command: The command line.
        home: The training domain; None where it is unknown.
        away: The other domains.
        class_names: Of the class map, background first.
        split: Number of home cases by part.
        images_seen: Images that a network saw, by arm.
        tunings: Folder of every generator that was tuned, by its name; relative to the run's where it
            lies in it.
        timings: Seconds by stage.
        environment: Versions and the device that results depend on.
    """

    version: str = ""
    created: str = ""
    command: str = ""
    home: str | None = None
    away: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()
    split: Mapping[str, int] = field(default_factory=dict)
    images_seen: Mapping[str, int] = field(default_factory=dict)
    tunings: Mapping[str, str] = field(default_factory=dict)
    timings: Mapping[str, _Seconds] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> RunManifest:
        """Read run.json; what it does not say is left empty.

        Raises:
            ConfigError: If the file is missing or corrupt.
        """
        content = read_json(path, error=ConfigError, shape=cls)
        known: dict[str, Any] = {
            each.name: content[each.name] for each in fields(cls) if each.name in content
        }
        lists = {name: tuple(value) for name, value in known.items() if isinstance(value, list)}
        return cls(**known | lists)

    def save(self, path: Path) -> None:
        """Write run.json.

        Raises:
            StorageError: If the file cannot be written.
        """
        write_json(path, {each.name: getattr(self, each.name) for each in fields(self)})


class _Trained(TypedDict):
    """Shape of fit.json, as far as it is read."""

    finished: NotRequired[bool]
    steps: NotRequired[int]
    images_seen: NotRequired[int]
    seconds: NotRequired[_Seconds]


class _Problem(TypedDict):
    level: Literal["error", "warning"]
    rule: str
    subject: str
    message: str


class _Checked(TypedDict):
    """Shape of what a check found."""

    path: str
    problems: list[_Problem]
    summary: dict[str, Any]
    digests: dict[str, str]


class _At:
    """The path of a file or folder below the `root` of its owner."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, owner: TrainingFolder | RunFolder, kind: type) -> Path:
        return owner.root / self.name


@dataclass(frozen=True)
class TrainingFolder:
    """The folder of one arm and seed.

    Args:
        root: The folder.
    """

    root: Path

    network = _At("network")
    """Weights and card of the network that was kept."""
    history = _At("history.csv")
    """Loss terms and validation Dice by step."""

    @property
    def record(self) -> dict[str, Any]:
        """What the training says of itself: steps, images_seen, seconds; empty before it began."""
        path = self.root / "fit.json"
        return read_json(path, error=ConfigError, shape=_Trained) if path.exists() else {}

    def predictions(self, domain: str) -> PredictionFolder:
        """Label maps of a domain's test cases."""
        from s2s2.evaluation.folder import PredictionFolder

        return PredictionFolder(self.root / "predictions" / file_name(domain))

    def scores(self, domain: str) -> Path:
        """One row a case and class of a domain."""
        return self.root / "scores" / f"{file_name(domain)}.csv"

    def tested(self, domain: str) -> Path:
        """Record of finished predictions and scores of a domain."""
        return self.root / f".{file_name(domain)}.done.json"


@dataclass(frozen=True)
class RunFolder:
    """Every file of a run.

    Args:
        root: The folder of the run.

    Example:
        >>> RunFolder(Path("run")).training("s2s2", 0).network.as_posix()
        'run/arms/s2s2/seed0/network'
    """

    root: Path

    split = _At("split.json")
    """Case ids of train, validation and test."""
    stack = _At("stack")
    """The stack of the run's generator."""
    generators = _At("generators")
    """Weights of the generators that were tuned for this run."""
    judges = _At("judges")
    """The segmenters that judge samples and copies."""
    scores = _At("scores.csv")
    """One row for each case, class, arm and seed."""
    summary = _At("summary.csv")
    """One row for each domain, class and arm, with intervals."""
    comparisons = _At("comparisons.csv")
    """One row for each pair of arms, domain and metric."""
    report = _At("report.html")
    """The page to read."""
    learnt_from = _At(".data.json")
    """Record of which data the run was made of: what identifies image and mask of each case, by domain."""
    identities = _At(".files.json")
    """Identity of every file of the data, with its size and times: unchanged files are not read again."""
    manifest = _At("run.json")
    """What was run, on what, and how long it took."""

    @property
    def divided(self) -> Record:
        """Record of the division, which the run keeps from its first call on."""
        return Record(self.root / ".split.done.json", {}, error=SplitError)

    @property
    def reported(self) -> Record:
        """Record of run.json."""
        return Record(self.root / ".report.done.json", {}, error=ConfigError)

    @classmethod
    def finished(cls, root: Path) -> RunFolder:
        """Return the folder of a run that was done to its end.

        Raises:
            ConfigError: If it is not the folder of a run, or the run is not finished.
        """
        refuse_links(root, error=ConfigError)
        load_config(root)
        folder = cls(root)
        if not folder.manifest.exists():
            raise ConfigError(f"{root} holds no finished run. Finish it with the same `s2s2 run` command.")
        return folder

    def stacks(self, config: RunConfig) -> dict[str, Path]:
        """Return the folder of every stack that the arms show, by the generator that makes it."""
        found = dict.fromkeys(generator_of(config, arm) for arm in config.arms)
        return {
            generator: self.stack
            if generator == config.stack.generator
            else self.root / "stacks" / file_name(generator)
            for generator in found
            if generator is not None
        }

    def training(self, arm: str, seed: int) -> TrainingFolder:
        """Return the folder of one arm and seed."""
        return TrainingFolder(self.root / "arms" / file_name(arm) / f"seed{seed}")

    def check(self, source: Source) -> Path:
        """Return the findings of the check of a source of data."""
        return self.root / "check" / f"{_name(source)}.json"

    def checked(self, source: Source) -> Path:
        """Return the record of a finished check."""
        return self.root / f".check-{_name(source)}.done.json"

    def write_check(self, source: Source, findings: CheckReport) -> None:
        """Write what the check of a source found."""
        write_json(self.check(source), {**findings.to_dict(), "digests": dict(findings.digests)})

    def read_check(self, source: Source) -> CheckReport | None:
        """Return what the check of a source found, None where it was not checked."""
        from s2s2.data.checking.report import CheckReport
        from s2s2.data.problems import Problem

        path = self.check(source)
        if not path.exists():
            return None
        content = read_json(path, error=ConfigError, shape=_Checked)
        problems = tuple(Problem(**problem) for problem in content["problems"])
        return CheckReport(Path(content["path"]), problems, content["summary"], content["digests"])

    def below(self, path: Path) -> str:
        """Return a path as run.json holds it: relative to this folder where it lies in it."""
        whole, root = path.resolve(), self.root.resolve()
        return whole.relative_to(root).as_posix() if whole.is_relative_to(root) else str(path)

    def tunings(self) -> dict[str, Path]:
        """Return where generators were tuned, by name.

        Folders that lie neither in the run nor in the option `stack.tuned` are left out: run.json
        may come from anyone, and its page is to show what belongs to it alone.
        """
        config = self.read_config()
        tuned = None if config is None else config.stack.tuned
        homes = [path.resolve() for path in (self.root, tuned) if path is not None]
        found = {name: (self.root / path).resolve() for name, path in self.read_manifest().tunings.items()}
        return {
            name: path for name, path in found.items() if any(path.is_relative_to(home) for home in homes)
        }

    def read_config(self) -> RunConfig | None:
        """Return the settings of the run, None where they were not kept."""
        return load_config(self.root) if (self.root / FILE).exists() else None

    def read_manifest(self) -> RunManifest:
        """Return what the run says of itself, nothing before it is finished."""
        return RunManifest.load(self.manifest) if self.manifest.exists() else RunManifest()


def generator_of(config: RunConfig, arm: str) -> str | None:
    """Return what makes the stack of an arm, or None where it shows none."""
    chosen = get_arm(arm)
    return None if chosen.view != "stack" else chosen.generator or config.stack.generator


def _name(source: Source) -> str:
    return f"{source.number}-{file_name(source.dataset.domain)}"
