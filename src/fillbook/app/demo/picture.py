"""Draws the README's picture: `python -m fillbook.app.demo.picture docs/images/demo.svg`.

The whole story is played; the steps that are marked for the picture, and the comparison, are drawn.
"""

import asyncio
import io
import re
import sys
import tempfile
from pathlib import Path

import aiohttp
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from fillbook.app.demo.cast import assemble
from fillbook.app.demo.clients import Exchanges, FillbookClient
from fillbook.app.demo.screen import Screen
from fillbook.app.demo.script import STEPS
from fillbook.app.demo.show import Show
from fillbook.app.demo.stage import set_up

COLUMNS = 100
TITLE = "make demo"
# A picture in a README fetches nothing: the reader's own monospace font will do.
_FORMAT = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace(
    "Fira Code, monospace", "ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace"
)


def _console(*, record: bool) -> Console:
    return Console(
        file=io.StringIO(),
        record=record,
        width=COLUMNS,
        highlight=False,
        force_terminal=True,
        color_system="truecolor",
    )


async def draw() -> str:
    """The picture, as SVG."""
    drawn, unseen = Screen(_console(record=True)), Screen(_console(record=False))
    with tempfile.TemporaryDirectory(prefix="fillbook-demo-") as directory:
        async with set_up(Path(directory), 0) as stage, aiohttp.ClientSession() as session:
            api = FillbookClient(session, stage.server_url, stage.token)
            exchanges = Exchanges(session, stage.exchange_urls)
            show = Show(drawn, api, exchanges, await assemble(api, exchanges))
            drawn.opening()
            await show.begin()
            for number, step in enumerate(STEPS, start=1):
                show.screen = drawn if step.in_picture else unseen
                await show.play(number, step)
            drawn.comparison(await show.agree())
    return drawn.console.export_svg(title=TITLE, code_format=_FORMAT)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(asyncio.run(draw()) + "\n", encoding="utf-8")
