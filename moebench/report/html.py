"""Pages: the templates of this folder, filled in, each with the style of all pages in it."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from moebench.report import formatting as formatting
from moebench.report.style import css


def rendered(template: str, **values: Any) -> str:
    """Return a page.

    Args:
        template: name of its file.
        **values: what the template asks for, beside the style and `moebench.report.formatting`.
    """
    return (
        _environment()
        .get_template(template)
        .render(css=Markup(css()), formatting=formatting, **values)
    )


@cache
def _environment() -> Environment:
    """Return what loads and compiles templates, each of them once."""
    return Environment(
        loader=PackageLoader("moebench", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
