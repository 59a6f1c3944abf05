"""A report as one HTML file to send: folium's map with Leaflet inside, no network, ever.

Values from files are escaped twice over: as HTML, and so that no quote, backtick, ``${`` or
``</script>`` can end the place where they stand in a script. The page's own policy forbids it
every request, so that a slip could not ask the network either.
"""

from __future__ import annotations

import html
import json
from typing import Any

import folium
import geopandas as gpd
import numpy as np

from ui.errors import MapLibraryMissingError
from ui.event_map import GREY_LIGHT, HEAT_LIGHT
from ui.format import name_text
from ui.map.component import LEAFLET, styles
from ui.map.layers import is_main_road
from ui.places import course_word
from ui.survey import Report
from ui.words import word

MOST_ROADS = 30  # named roads drawn where nothing tells which are the main ones
SIMPLE_M = 8.0  # metres by which outlines and roads are thinned: a county's file stays small
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
)
_OUT = {"`": "&#96;", "$": "&#36;", "{": "&#123;", "}": "&#125;", "\\": "&#92;"}
STYLE = """
html, body { margin: 0; height: 100%; font: 14px/1.45 "Noto Sans CJK SC", "Microsoft YaHei",
  "PingFang SC", "Hiragino Sans GB", system-ui, sans-serif; color: #23262b; }
body { display: flex; flex-direction: column; }
.gw-head { padding: 8px 14px 6px; }
.gw-head h1 { font-size: 18px; margin: 0 0 4px; }
.gw-head dl { display: flex; flex-wrap: wrap; gap: 4px 22px; margin: 0; }
.gw-head dt { font-size: 12px; color: #5b616a; } .gw-head dd { margin: 0; font-weight: 650; }
.gw-warn { margin: 6px 0 0; padding: 4px 9px; background: #fdf3d8; border-left: 4px solid #c98a00; }
.gw-body { flex: 1 1 auto; display: flex; min-height: 420px; }
.gw-body > .folium-map { flex: 1 1 62%; position: relative; min-height: 420px; height: auto;
  background: #f6f6f3; }
.gw-side { flex: 1 1 38%; overflow: auto; padding: 0 14px; font-size: 13px; }
.gw-side h2 { font-size: 14px; margin: 10px 0 4px; }
.gw-side table { border-collapse: collapse; width: 100%; }
.gw-side th, .gw-side td { text-align: left; vertical-align: top; padding: 3px 8px 3px 0;
  border-bottom: 1px solid #dcdedf; }
.gw-side details { margin: 10px 0; } .gw-side td:first-child { white-space: nowrap; }
.gw-foot { padding: 5px 14px; font-size: 12px; color: #5b616a; border-top: 1px solid #dcdedf; }
.gw-legend { background: #fffffff0; padding: 6px 9px; border: 1px solid #d5d7db; border-radius: 4px;
  font-size: 12px; }
.gw-legend i { display: inline-block; width: 18px; height: 11px; margin-right: 7px;
  border: 1px solid #6e737b88; }
.gw-number { font-weight: 700; font-size: 12px; text-align: center; color: #fff;
  background: #23262b; border-radius: 9px; line-height: 18px; }
.gw-name { font-size: 12px; font-weight: 600; white-space: nowrap;
  text-shadow: 0 0 3px #fff, 0 0 3px #fff, 0 0 3px #fff; }
@media (max-width: 700px) { html, body { height: auto; } body, .gw-body { display: block; }
  .gw-body > .folium-map { height: 62vh; } .leaflet-control-layers { display: none; } }
"""


#: a scale in kilometres; of two names that meet the first keeps its place, numbers always
MAP_SCRIPT = """
window.addEventListener("load", () => {
  L.control.scale({ imperial: false, maxWidth: 140 }).addTo(MAP);
  const tidy = () => {
    const kept = [...document.querySelectorAll(".gw-number")].map((e) => e.getBoundingClientRect());
    for (const name of document.querySelectorAll(".gw-name")) {
      const box = name.firstElementChild.getBoundingClientRect();
      const met = kept.some((k) => box.left < k.right && k.left < box.right
        && box.top < k.bottom && k.top < box.bottom);
      name.style.visibility = met ? "hidden" : "";
      if (!met) kept.push(box);
    }
  };
  MAP.on("zoomend viewreset layeradd overlayadd resize", tidy);
  tidy();
});
"""


def safe(value: object) -> str:
    """A value as text that stays text in HTML, in an attribute and in a script's literal."""
    text = html.escape(name_text(value), quote=True)
    return "".join(_OUT.get(sign, sign) for sign in text)


def _raw(text: str) -> folium.Element:
    """An element whose text no template engine reads."""
    return folium.Element("{% raw %}" + text.replace("{% endraw %}", "") + "{% endraw %}")


def report_html(report: Report) -> str:
    """The whole file. Raises :class:`ui.errors.MapLibraryMissingError` without Leaflet."""
    try:
        script = (LEAFLET / "leaflet.js").read_text(encoding="utf-8")
        style = (LEAFLET / "leaflet.css").read_text(encoding="utf-8")
    except FileNotFoundError as missing:
        raise MapLibraryMissingError(str(missing.filename)) from missing
    board = folium.Map(tiles=None, prefer_canvas=True, control_scale=False, zoom_control=True,
                       zoom_snap=0.25, attributionControl=False)  # fmt: skip
    board.default_js, board.default_css = [], []  # nothing from anywhere else
    outlines = _thin(report.outlines)
    west, south, east, north = outlines.total_bounds
    board.fit_bounds([[south, west], [north, east]])
    _areas(board, outlines)
    _cells(board, report)
    _roads(board, report)
    _marks(board, report, outlines)
    folium.LayerControl(collapsed=False).add_to(board)
    root = board.get_root()
    script_of_map = MAP_SCRIPT.replace("MAP", board.get_name())
    root.html.add_child(_raw(f"<script>{script_of_map}</script>"), name="map_script")
    root.title = safe(f"{report.place} {word('page.leader', report.language)} {report.period}")
    root.header.add_child(
        folium.Element(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'),
        name="policy",
    )
    root.header.add_child(
        folium.Element('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        name="viewport",
    )
    root.header.add_child(_raw(f"<style>{styles(style, STYLE)}</style>"), name="style")
    no_map = script.partition("//# sourceMappingURL")[0]
    root.header.add_child(_raw(f"<script>{no_map}</script>"), name="leaflet")
    root.html.add_child(_raw(_head(report) + "<div class='gw-body'>"), name="head")
    page: str = root.render()
    return _around(page, board.get_name(), report)


def _around(page: str, name: str, report: Report) -> str:
    """The map's element put between head and side: folium writes it last."""
    start = page.index(f'<div class="folium-map" id="{name}"')
    end = page.index("</div>", start) + len("</div>")
    return page[:end] + _side(report) + "</div>" + _foot(report) + page[end:]


# --- the map ------------------------------------------------------------------------------------


def _thin(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    from ui.map.encode import simplified_coverage

    shapes = simplified_coverage(np.asarray(frame.geometry.to_numpy()), 20_000)
    return frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=frame.crs)).to_crs(4326)


def _features(frame: gpd.GeoDataFrame, texts: list[str], colours: list[str]) -> dict[str, Any]:
    """GeoJSON with a safe text and a colour each; five digits of a degree are a metre."""
    shapes = json.loads(frame.geometry.set_precision(1e-5).to_json())["features"]
    rows = zip(shapes, texts, colours, strict=True)
    return {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "id": str(i), "geometry": shape["geometry"],
             "properties": {"text": safe(text), "colour": colour}}
            for i, (shape, text, colour) in enumerate(rows)
        ],
    }  # fmt: skip


def _areas(board: folium.Map, outlines: gpd.GeoDataFrame) -> None:
    names = list(outlines["name"])
    folium.GeoJson(
        _features(outlines, names, [GREY_LIGHT] * len(outlines)),
        control=False,
        style_function=lambda _: {"color": "#6a7078", "weight": 1.2, "fillColor": GREY_LIGHT,
                                  "fillOpacity": 0.9},
        tooltip=folium.GeoJsonTooltip(["text"], labels=False),
    ).add_to(board)  # fmt: skip


def _cells(board: folium.Map, report: Report) -> None:
    if not len(report.cells):
        return
    cells = report.cells.to_crs(4326)
    classes = cells["density_class"].to_numpy()
    texts = [
        " · ".join(filter(None, (report.labels[c], course_word(int(k), report.language))))
        for c, k in zip(classes, cells["course"], strict=True)
    ]
    rims = gpd.GeoDataFrame(geometry=[p.shape for p in report.places], crs=report.cells.crs)
    if len(rims):
        folium.GeoJson(
            _features(rims.to_crs(4326), [""] * len(rims), [""] * len(rims)), control=False,
            interactive=False,
            style_function=lambda _: {"color": "#23262b", "weight": 2, "fill": False},
        ).add_to(board)
    folium.GeoJson(
        _features(cells, texts, [HEAT_LIGHT[c] for c in classes]),
        name=safe(word("incidents.hot", report.language)),
        style_function=lambda f: {"stroke": False, "fillColor": f["properties"]["colour"],
                                  "fillOpacity": 0.82},
        tooltip=folium.GeoJsonTooltip(["text"], labels=False),
    ).add_to(board)  # fmt: skip


def _roads(board: folium.Map, report: Report) -> None:
    roads = main_roads(report.roads)
    if roads is None:
        return
    thin = roads.set_geometry(roads.geometry.simplify(SIMPLE_M)).to_crs(4326)
    texts = [name_text(name) for name in thin["name"]] if "name" in thin else [""] * len(thin)
    folium.GeoJson(
        _features(thin, texts, ["#8c8474"] * len(thin)),
        name=safe(word("layer.roads", report.language)),
        style_function=lambda _: {"color": "#8c8474", "weight": 1.6, "opacity": 0.8},
        tooltip=folium.GeoJsonTooltip(["text"], labels=False),
    ).add_to(board)


def main_roads(roads: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame | None:
    """Roads that a county's map has room for: the main ones, or the longest of those with names
    where none is told as one; None where there are none."""
    if roads is None:
        return None
    lines = roads[roads.geometry.notna()]
    main = lines["road_class"].map(is_main_road) if "road_class" in lines else None
    if main is not None and main.any():
        lines = lines[main]
    elif "name" in lines:
        named = lines["name"].map(name_text)
        long = lines.length.groupby(named).sum().drop("", errors="ignore").nlargest(MOST_ROADS)
        lines = lines[named.isin(long.index)]
    else:
        return None
    return lines if len(lines) else None


def _marks(board: folium.Map, report: Report, outlines: gpd.GeoDataFrame) -> None:
    """Names of the areas and numbers of the places; text only, in elements of our own."""
    names = folium.FeatureGroup(name=safe(word("layer.names", report.language)))
    large = outlines.iloc[np.argsort(-report.outlines.area.to_numpy(), kind="stable")]
    points = large.geometry.representative_point()
    for name, point in zip(large["name"], points, strict=True):
        icon = folium.DivIcon(html=f"<span>{safe(name)}</span>", class_name="gw-name",
                              icon_size=(120, 16), icon_anchor=(20, 8))  # fmt: skip
        folium.Marker((point.y, point.x), icon=icon).add_to(names)
    names.add_to(board)
    numbers = folium.FeatureGroup(name=safe(word("incidents.numbers", report.language)))
    middles = gpd.GeoSeries.from_xy(
        [p.middle[0] for p in report.places], [p.middle[1] for p in report.places],
        crs=report.cells.crs,
    ).to_crs(4326)  # fmt: skip
    for place, point in zip(report.places, middles, strict=True):
        icon = folium.DivIcon(html=f"<span>{place.number}</span>", class_name="gw-number",
                              icon_size=(18, 18), icon_anchor=(-5, 23))  # fmt: skip
        folium.Marker((point.y, point.x), icon=icon, tooltip=safe(place.where)).add_to(numbers)
    numbers.add_to(board)


# --- around the map -----------------------------------------------------------------------------


def _head(report: Report) -> str:
    name = safe(f"{report.place} {word('page.leader', report.language)}")
    choice = safe(f"{report.period} · {report.category}")
    cells = "".join(
        f"<div><dt>{safe(label)}</dt><dd>{safe(value)}</dd><dt>{safe(note)}</dt></div>"
        for label, value, note in report.numbers
    )
    told = "".join(f"<p class='gw-warn'>{safe(text)}</p>" for text in report.warnings)
    return f"<div class='gw-head'><h1>{name} · {choice}</h1><dl>{cells}</dl>{told}</div>"


def legend_rows(report: Report) -> list[tuple[str, str]]:
    """Colour and text of each class, and grey for what is not significant."""
    rows = list(zip(HEAT_LIGHT, report.labels, strict=False))
    return [*rows, (GREY_LIGHT, word("incidents.not_significant", report.language))]


def _side(report: Report) -> str:
    lang = report.language
    legend = "".join(
        f"<div><i style='background:{colour}'></i>{safe(label)}</div>"
        for colour, label in legend_rows(report)
    )
    rows = "".join(
        f"<tr><td>{p.number}</td><td>{safe(p.where)}</td><td>{safe(p.why)}</td></tr>"
        for p in report.places
    )
    none = f"<p>{safe(word('incidents.no_places', lang))}</p>"
    table = f"<table>{rows}</table>" if rows else none
    notes = "".join(f"<p>{safe(note)}</p>" for note in report.notes)
    lines = "".join(f"<tr><td>{safe(k)}</td><td>{safe(v)}</td></tr>" for k, v in report.lines)
    meaning = safe(report.meaning)
    return (
        f"<div class='gw-side'><h2>{safe(word('incidents.density', lang))}</h2>"
        f"<div class='gw-legend'>{legend}</div>"
        f"<h2>{safe(word('incidents.side_places', lang))}</h2>{table}{notes}<p>{meaning}</p>"
        f"<details><summary>{safe(word('incidents.sources', lang))}</summary>"
        f"<table>{lines}</table></details></div>"
    )


def _foot(report: Report) -> str:
    return f"<div class='gw-foot'>{safe(report.notice)}</div>"
