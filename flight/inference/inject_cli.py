"""`lumenode models inject`: flips bits on purpose and tells what the guard made of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from flight.inference.fault_campaign import STAYING, FaultCampaign
from flight.inference.fault_score import CORRUPT_SHARE, Score, together, wilson
from flight.inference.integrity import PATTERNS, golden_tile
from flight.inference.model_manifest import ModelError
from flight.inference.tile_cache import ImageryError, default_tiles_path, read_tile_cache
from flight.inference.tile_pixels import pixels_of

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from flight.inference.model_registry import ModelRegistry
    from flight.one_line_parser import OneLineParser

FLIPS_DEFAULT, FLIPS_MAX = 200, 1_000_000
TILES_MAX = 16
SIDE_PX = 128


def add_inject(actions: argparse._SubParsersAction[OneLineParser], common: OneLineParser) -> None:
    """The action with its options."""
    parser = actions.add_parser(
        "inject",
        parents=[common],
        help="soft errors on purpose: detected, silent, repaired",
        description="Flip bits in live weights, tiles and answers of a network under guard, and "
        "tell what was noticed and what went through, with 95 % confidence intervals (Wilson).",
        epilog="example: lumenode models inject --flips 2000 --seed 7 --json",
    )
    parser.add_argument("--model", default="cloud_unet", help="model (default: %(default)s)")
    parser.add_argument("--variant", default="fp32", help="of it (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the faults (default: %(default)s)")
    parser.add_argument(
        "--flips", type=int, default=FLIPS_DEFAULT, metavar="N",
        help="at each place (default: %(default)s)",
    )  # fmt: skip


def inject(
    registry: ModelRegistry, options: argparse.Namespace
) -> tuple[dict[str, Any], list[str]]:
    """Run the campaign; raises ModelError."""
    if not 1 <= options.flips <= FLIPS_MAX:
        raise ModelError(f"--flips = {options.flips}: allowed: 1..{FLIPS_MAX}")
    model = registry.load(options.model, options.variant)
    # The runtime is heavy and may be missing.
    from flight.inference.guarded_ort import plain_layout, plain_session  # noqa: PLC0415

    manifest, recorded = model.manifest, model.manifest.variants[model.variant].golden
    golden = recorded if recorded.expected_b64 else None
    tiles, pictures = _pictures(default_tiles_path())
    campaign = FaultCampaign(
        model.data, golden, partial(plain_session, manifest=manifest), plain_layout,
        tiles, manifest.threshold, options.seed,
    )  # fmt: skip
    if not campaign.weight_bytes:
        raise ModelError(f"{model.name}/{model.variant}: no weights that the node holds itself")
    scores = campaign.run(options.flips)
    answer: dict[str, Any] = {
        "model": f"{model.name}/{model.variant}",
        "sha256": model.sha256,
        "seed": options.seed,
        "flips": options.flips,
        "pictures": pictures,
        "places": {place.name.lower(): _figures(score) for place, score in scores.items()},
        "weights": _figures(staying := together([scores[place] for place in STAYING])),
    }
    lines = [_line(place.value, score) for place, score in scores.items()]
    return answer, [*_head(answer), *lines, _line("all flips of weights that stay", staying)]


def _pictures(cache: Path) -> tuple[list[npt.NDArray[np.uint16]], str]:
    """Real tiles where they have been fetched, else the built-in ones; and which."""
    try:
        tiles = read_tile_cache(cache).tiles
    except ImageryError:
        return [golden_tile(SIDE_PX, pattern) for pattern in PATTERNS], "golden tiles"
    step = max(1, len(tiles) // TILES_MAX)
    chosen = tiles[::step][:TILES_MAX]
    return [pixels_of(tile) for tile in chosen], f"{len(chosen)} tiles of {cache.name}"


def _figures(score: Score) -> dict[str, Any]:
    return {
        "trials": score.trials,
        "noticed": score.noticed,
        "corrupting": score.corrupting,
        "corrupting_ci": wilson(score.corrupting, score.trials),
        "detected": score.caught,
        "detected_ci": wilson(score.caught, score.corrupting),
        "silent": score.corrupting - score.caught,
        "silent_ci": wilson(score.corrupting - score.caught, score.trials),
        "righted": score.righted,
        "righted_ci": wilson(score.righted, score.corrupting),
        "by_check": score.by_check,
        "by_bits": score.by_bits,
        "worst_mask_share_silent": score.worst_silent,
        "worst_mask_share_unguarded": score.worst_bare,
    }


def _head(answer: dict[str, Any]) -> list[str]:
    what = (
        f"{answer['model']}, seed {answer['seed']}, {answer['flips']} faults at each place, "
        f"{answer['pictures']}; corrupting: more than {CORRUPT_SHARE:.0%} of a mask"
    )
    heads = f"{'corrupting':>10}  {'detected':<24} {'righted':>7}  {'worst silent':>12}  unguarded"
    return [what, f"{'':<56} {heads}"]


def _line(what: str, score: Score) -> str:
    low, high = wilson(score.caught, score.corrupting)
    caught = "-" if not score.corrupting else (
        f"{score.caught}/{score.corrupting} ({low:.1%}..{high:.1%})"
    )  # fmt: skip
    return (
        f"{what:<56} {score.corrupting:>10}  {caught:<24} {score.righted:>7}  "
        f"{score.worst_silent:>12.2%}  {score.worst_bare:>9.2%}"
    )
