"""Routes of the help: the guide's pages, made when the UI was built, and the reference, which the program knows itself."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from fastapi import FastAPI
from fastapi import Path as InPath
from fastapi.responses import FileResponse

from agent.core.config_file import SettingsFile
from agent.core.i18n import FALLBACK, Texts, catalogue
from agent.domain.errors import NotFound
from agent.domain.path_text import printable
from agent.web.error_reference import PAGES
from agent.web.settings_schemas import About, Component, GuidePage, Reference

LICENSE = "Apache-2.0"
# What a page's file may be called: nothing that leads out of the folder.
PageName: TypeAlias = Annotated[str, InPath(pattern="^[a-z0-9-]{1,60}$")]
PictureName: TypeAlias = Annotated[str, InPath(pattern=r"^[a-z0-9-]{1,60}\.(png|webp)$")]


@dataclass(frozen=True)
class Places:
    """Where the program keeps its files."""

    data: Path = Path()  # the library and the models
    logs: Path = Path()


def help_routes(api: FastAPI, version: str, pages: Path, places: Places, file: SettingsFile, texts: Callable[[], Texts]) -> None:
    """Add them to `api`. `pages` are those of the guide, as the UI's build made them."""

    @api.get("/api/about")
    async def about() -> About:
        words = texts()
        return About(
            version=version,
            license=LICENSE,
            data=printable(str(places.data)),
            settings=printable(str(file.path)),
            logs=printable(str(places.logs)),
            models=tuple(Component(name=words(f"models.{model}.name"), terms=words(f"models.{model}.terms")) for model in _models()),
        )

    @api.get("/api/help/{page}")
    async def reference(page: Literal["errors", "settings"]) -> Reference:
        """All errors, or all settings, in the program's language."""
        return Reference(**asdict(await asyncio.to_thread(PAGES[page], texts())))

    @api.get("/api/help/guide/{name}")
    async def guide(name: PageName) -> GuidePage:
        """A page of the guide in the program's language."""
        return await asyncio.to_thread(_read, pages / texts().language / f"{name}.json")

    @api.get("/api/help/pictures/{name}", response_class=FileResponse, responses={200: {"content": {"image/*": {}}}})
    async def picture(name: PictureName) -> FileResponse:
        """A picture on a page of the guide."""
        file = pages / "pictures" / name
        if not await asyncio.to_thread(file.is_file):
            raise NotFound
        return FileResponse(file)


def _read(file: Path) -> GuidePage:
    try:
        return GuidePage.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        raise NotFound from None


def _models() -> list[str]:
    """Return the models whose terms a user reads, by their keys in the catalogues."""
    return [key.split(".")[1] for key in catalogue(FALLBACK) if key.startswith("models.") and key.endswith(".terms")]
