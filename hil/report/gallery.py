"""Delivered products as pictures: what the node saw, what it decided, what came down.

One card a tile, the most valuable first. The number of cards and the bytes of their pictures are
bounded, and the page says how many are not shown.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hil.report import png
from hil.report.markup import Child, Markup, el, join, not_recorded, table
from hil.report.quantity import DASH, duration, known, mission_time, number, percent, scaled
from hil.report.run_record import RunRecord
from hil.report.run_values import Product

CARDS_MAX = 24
PICTURE_BYTES_MAX = 2_500_000  # base64 characters in the page, all pictures together
SIDE_MAX = 160

CLASS_NAMES = ("EMERGENCY", "TELEMETRY", "INDEX", "MASK", "QUICKLOOK", "RAW")

TILE_SUFFIX = ".tile.png"
PICTURES = ((TILE_SUFFIX, "input tile"), (".mask.png", "cloud mask"), (".png", "quick-look"))


@dataclass(frozen=True, slots=True)
class Card:
    """All products of one tile."""

    products: tuple[Product, ...]

    @property
    def value_millis(self) -> float:
        """Value of all products of the tile together."""
        return sum(known(p.value_millis) or 0.0 for p in self.products)

    @property
    def first(self) -> Product:
        """The product that names the card: the most valuable one."""
        return min(self.products, key=lambda p: (-(known(p.value_millis) or 0.0), p.name))

    def latency_s(self) -> float | None:
        """Time from the capture (else the creation) of the tile to its last product on ground."""
        starts = [t for p in self.products if (t := _born_s(p)) is not None]
        ends = [t for p in self.products if (t := known(p.delivered_s)) is not None]
        return max(ends) - min(starts) if starts and ends else None


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as base64, or empty with the reason."""

    code: str
    why: str


def _born_s(product: Product) -> float | None:
    captured = known(product.captured_s)
    return known(product.created_s) if captured is None else captured


def delivered(products: Sequence[Product]) -> list[Product]:
    """Return what reached the ground in full."""
    return [p for p in products if known(p.delivered_s) is not None]


def cards(products: Sequence[Product]) -> list[Card]:
    """Group delivered products by tile, best first; a product without a tile stands alone."""
    groups: dict[str, list[Product]] = {}
    for product in delivered(products):
        alone = f"product {product.product_id} {product.file_stem}"
        key = alone if product.tile_id is None else f"tile {product.tile_id}"
        groups.setdefault(key, []).append(product)
    made = [Card(tuple(group)) for group in groups.values()]
    return sorted(made, key=lambda c: (-c.value_millis, c.first.name, str(c.first.product_id)))


def varied(made: Sequence[Card]) -> list[Card]:
    """Return the cards with the best of each scene tile first: the same view is shown once."""
    rank: dict[str, int] = {}
    keyed = []
    for order, card in enumerate(made):
        origin = card.first.origin or f"alone {order}"
        seen = rank.get(origin, 0)
        rank[origin] = seen + 1
        keyed.append((seen, order, card))
    return [card for _, _, card in sorted(keyed, key=lambda entry: entry[:2])]


def _picture(folder: Path, card: Card, suffix: str) -> Picture:
    """Return one place of a card: a small PNG in base64, or why there is none."""
    why = "no picture" if suffix == TILE_SUFFIX else "not delivered"
    for product in card.products:
        path = folder / f"{product.file_stem}{suffix}"
        if not path.is_file():
            continue
        try:
            small = png.encode(png.shrink(png.decode(path.read_bytes()), SIDE_MAX))
        except (OSError, png.PngError):
            why = "not readable"
            continue
        return Picture(base64.b64encode(small).decode("ascii"), "")
    return Picture("", why)


def _card(card: Card, pictures: Sequence[tuple[str, Picture]]) -> Markup:
    first = card.first
    cloud = next((p.cloud_fraction for p in card.products if p.cloud_fraction is not None), None)
    shown = [
        el(
            "div",
            el("img", src=f"data:image/png;base64,{p.code}", alt=f"{label} of {first.name}")
            if p.code
            else el("div", p.why, class_="blank"),
            el("span", label),
        )
        for label, p in pictures
    ]
    facts: list[tuple[str, Child]] = [
        ("cloud", percent(cloud)),
        ("value", number((known(card.value_millis) or 0.0) / 1000.0, 2)),
        ("size", scaled(sum(known(p.size_bytes) or 0.0 for p in card.products), "B")),
        ("latency", duration(card.latency_s())),
        ("via", first.contact),
        ("down", mission_time(first.delivered_s)),
    ]
    listed = [
        el("div", el("dt", name), el("dd", DASH if fact is None else fact)) for name, fact in facts
    ]
    return el(
        "article",
        el("div", *shown, class_="pictures"),
        el("h4", first.name),
        el("p", first.origin, class_="origin") if first.origin else None,
        el("dl", *listed),
        class_="card",
    )


def _by_class(products: Sequence[Product]) -> Markup:
    classes: dict[str, list[Product]] = {}
    for product in products:
        code = product.klass
        known_code = isinstance(code, int) and 0 <= code < len(CLASS_NAMES)
        name = CLASS_NAMES[int(code)] if known_code else str(code)
        classes.setdefault(name, []).append(product)
    rows: list[list[Child]] = []
    for klass, members in sorted(classes.items()):
        times = sorted(
            end - start
            for p in members
            if (start := _born_s(p)) is not None and (end := known(p.delivered_s)) is not None
        )
        rows.append(
            [
                klass,
                number(len(members)),
                scaled(sum(known(p.size_bytes) or 0.0 for p in members), "B"),
                number(sum(known(p.value_millis) or 0.0 for p in members) / 1000.0, 2),
                duration(times[len(times) // 2]) if times else None,
                duration(times[-1]) if times else None,
            ]
        )
    head = [("Class", ""), ("Products", "num"), ("Bytes", "num"), ("Value", "num")]
    return table([*head, ("Median latency", "num"), ("Longest latency", "num")], rows)


def gallery(record: RunRecord) -> Markup:
    """Make the section's content: totals by class, then the cards."""
    down = delivered(record.products)
    if not down:
        return not_recorded("Delivered products")
    made = varied(cards(record.products))
    folder = record.run_dir / "products"
    shown: list[Markup] = []
    spent = 0
    for card in made:
        places = [(label, _picture(folder, card, suffix)) for suffix, label in PICTURES]
        size = sum(len(picture.code) for _, picture in places)
        if not size:
            continue
        if len(shown) >= CARDS_MAX or spent + size > PICTURE_BYTES_MAX:
            break
        spent += size
        shown.append(_card(card, places))
    captured = any(known(product.captured_s) is not None for product in down)
    born = "the capture of the tile" if captured else "the creation of the product"
    note = (
        f"{len(shown)} of {len(made)} tiles shown, the most valuable view of each place first; "
        f"all products are in products/. Latency runs from {born} to the last byte on the ground."
        if shown
        else "No delivered product has a picture."
    )
    return join(
        _by_class(down),
        el("p", note, class_="note"),
        el("div", *shown, class_="gallery") if shown else None,
    )
