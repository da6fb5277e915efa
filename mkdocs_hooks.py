"""What the documentation has besides ``docs/``: pages of the repository, the commands' help, and the Python names."""

import os
import re
from pathlib import Path, PurePosixPath

import griffe
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import get_plugin_logger
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent
# Pages of the site that are files elsewhere in the repository.
HOMES = {
    "index.md": "README.md",
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "benchmarks.md": "benchmarks/README.md",
}
SITE = {home: page for page, home in HOMES.items()}
LINK = re.compile(r"\[([^\]]+)\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)\s]*)?\)")
DOCTEST = re.compile(r"^>>> .*?(?=^\s*$|\Z)", re.M | re.S)
ROLE = re.compile(r":(?:class|func|meth|mod|attr|data):<code>~?(?:[\w.]+\.)?")
WIDTH = "100"

log = get_plugin_logger("regroove")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List guides that the navigation does not name yet."""
    assert config.nav is not None
    guide = next(section["Guide"] for section in config.nav if "Guide" in section)
    named = str(config.nav)
    guide += [page.name for page in sorted(Path(config.docs_dir).glob("*.md")) if f"'{page.name}'" not in named]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made."""
    made = {page: (ROOT / home).read_text(encoding="utf-8") for page, home in HOMES.items()}
    made |= {"command-line.md": command_line(), "python.md": python_names()}
    for page, text in made.items():
        files.append(File.generated(config, page, content=text))
    return files


def command_line() -> str:
    """The help of every command, as it is printed."""
    os.environ.update(COLUMNS=WIDTH, TERMINAL_WIDTH=WIDTH, NO_COLOR="1", TERM="dumb")
    import typer
    from typer.testing import CliRunner

    from regroove.cli.main import app

    def pages(command: object, path: tuple[str, ...]) -> list[str]:
        shown = CliRunner().invoke(app, [*path[1:], "--help"], prog_name=path[0])
        assert shown.exit_code == 0, shown.output
        text = "\n".join(line.rstrip() for line in shown.output.strip("\n").splitlines())
        own = f"## {' '.join(path)}\n\n```text\n{text}\n```\n"
        below = getattr(command, "commands", {}).items()
        return [own, *(page for name, sub in below if not sub.hidden for page in pages(sub, (*path, name)))]

    return "# Command line\n\n" + "\n".join(pages(typer.main.get_command(app), ("regroove",)))


def python_names() -> str:
    """The public names, with their docstrings."""
    import regroove

    names = [name for name in regroove.__all__ if not name.startswith("_")]
    parts = [
        f"::: {regroove._HOMES[name]}.{name}\n    options:\n      heading: regroove.{name}\n"
        for name in sorted(names, key=str.lower)
    ]
    return "# Python\n\n" + "\n".join(parts)


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links to files of the repository become links to their pages, or their names; missing ones are warnings."""
    here = PurePosixPath(HOMES.get(page.file.src_uri, f"docs/{page.file.src_uri}"))

    def linked(match: re.Match[str]) -> str:
        text, target, anchor = match[1], match[2], match[3] or ""
        place = os.path.relpath(ROOT / here.parent / target, ROOT)
        if not (ROOT / place).exists():
            log.warning("%s links to %s, which is not there", here, target)
            return text
        if place not in SITE and not place.startswith("docs/"):
            return text if text.strip("`") == place else f"{text} (`{place}`)"
        uri = SITE.get(place, place.removeprefix("docs/"))
        if (ROOT / place).is_dir():
            uri += "/README.md"
        return f"[{text}]({os.path.relpath(uri, PurePosixPath(page.file.src_uri).parent)}{anchor})"

    return LINK.sub(linked, markdown)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Roles of docstrings are shown as code."""
    return ROLE.sub("<code>", html)


class Doctests(griffe.Extension):
    """Examples of docstrings are shown as Python sessions."""

    def on_instance(self, *, obj: griffe.Object, **_: object) -> None:
        """Fence them."""
        if obj.docstring is not None:
            fenced = DOCTEST.sub(lambda m: f"```pycon\n{m[0].rstrip()}\n```\n", obj.docstring.value)
            obj.docstring.value = fenced
