"""Settings as a YAML file: written beside the results, read back as they were."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import ArgumentParser

from s2s2.core.storage import atomic
from s2s2.errors import ConfigError
from s2s2.run.config import RunConfig

FILE = "config.yaml"


def save_config(config: RunConfig) -> None:
    """Write the settings into the run's folder; `s2s2 run --config` reads them."""
    with atomic(config.output / FILE) as temporary:
        Path(temporary).write_text(yaml.safe_dump(plain(asdict(config)), sort_keys=False), encoding="utf-8")


def load_config(run: Path) -> RunConfig:
    """Read the settings of a run's folder.

    Raises:
        ConfigError: If the folder holds no run, or its settings cannot be read.
    """
    path = run / FILE
    if not path.exists():
        raise ConfigError(f"{run} is not the folder of a run: it has no {FILE}. Make one with `s2s2 run`.")
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(RunConfig, "run")
    try:
        options = parser.parse_object({"run": yaml.safe_load(path.read_text(encoding="utf-8"))})
        config: RunConfig = parser.instantiate(options).run
    except Exception as error:
        raise ConfigError(f"{path} does not hold settings of a run: {error}") from error
    return config


def plain(value: Any) -> Any:
    """Turn paths into strings and tuples into lists, as YAML and JSON know them."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value
