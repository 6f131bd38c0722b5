"""What only the page shows, made by a running daemon."""

import asyncio
from datetime import date
from pathlib import Path

import pytest
from test_service import Live

pytestmark = pytest.mark.integration
EVE, TODAY = date(2024, 3, 8), date(2024, 3, 11)


def test_losses_ahead_follow_the_figures(tmp_path: Path) -> None:
    """A session's figures bring the shape of their bank; after a restart it is there again."""

    async def first(live: Live) -> None:
        await live.until(lambda s: bool(live.board.exhibits.shapes))
        (shape,) = live.board.exhibits.shapes
        assert (shape.portfolio, shape.session, [h.horizon for h in shape.horizons]) == ("book", EVE, [1, 5])
        assert sum(shape.horizons[1].counts) + shape.horizons[1].below + shape.horizons[1].above == 1000
        live.close(-0.02)
        live.at("20:31")
        await live.until(lambda s: live.board.exhibits.shapes[0].session == TODAY)

    async def again(live: Live) -> None:
        await live.until(lambda s: bool(live.board.exhibits.shapes))
        assert live.board.exhibits.shapes[0].session == TODAY

    asyncio.run(Live(tmp_path).run(first))
    live = Live(tmp_path, start="20:45")
    live.close(-0.02)
    asyncio.run(live.run(again))
