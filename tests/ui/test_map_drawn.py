"""A browser says that it has drawn a map, and who waited goes on; without it, after a while."""

from __future__ import annotations

import json
import threading

from starlette.applications import Starlette
from starlette.testclient import TestClient

from ui.map.drawn import SIGNS, Signs
from ui.map.scene import Scene, message
from ui.web import drawn


def test_who_waits_goes_on_when_the_map_is_drawn() -> None:
    signs = Signs()
    with signs.awaited() as sign, signs.awaited() as other:
        saying = threading.Timer(0.01, signs.hear, [sign.name])
        saying.start()
        assert sign.wait(60)
        saying.join()
        assert not other.wait(0)  # a map of somebody else


def test_nobody_waits_for_ever_and_nothing_is_kept() -> None:
    signs = Signs()
    with signs.awaited() as sign:
        assert not sign.wait(0.01)
        assert signs.hear(sign.name)
    assert not signs.hear(sign.name)
    assert not signs.hear("")


def test_the_browser_says_it_by_a_name_that_nobody_guesses() -> None:
    said = TestClient(Starlette(routes=drawn.routes()))
    with SIGNS.awaited() as sign, SIGNS.awaited() as other:
        assert json.loads(message(Scene("p", ()), {}, sign.name))["tell"] == sign.name
        assert said.get(f"/drawn/{sign.name}").status_code == 405
        assert said.post("/drawn/guessed").status_code == 404
        assert not sign.wait(0)
        assert said.post(f"/drawn/{sign.name}").status_code == 204
        assert sign.wait(0)
        assert sign.name != other.name
        assert len(sign.name) >= 16
    assert said.post(f"/drawn/{sign.name}").status_code == 404
    assert json.loads(message(Scene("p", ()), {}))["tell"] == ""
