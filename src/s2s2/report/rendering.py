"""Pages from templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def render(template: str, content: Mapping[str, Any]) -> str:
    """Fill a template.

    Args:
        template: Name of a file in templates/.
        content: Everything that it shows.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("s2s2.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(content)
