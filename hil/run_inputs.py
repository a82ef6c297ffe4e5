"""What a run needs beside its scenario: board profile, network, imagery; looked at first.

So that whatever is missing is said before the folder of an earlier run is touched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.config import ConfigError, load_profile
from flight.inference.model_registry import ModelError, ModelRegistry
from flight.inference.tile_cache import ImageryError
from hil.imagery import default_tiles_path, load_tiles

if TYPE_CHECKING:
    from hil.scenario import Scenario

INPUT_ERRORS = (ConfigError, ImageryError, ModelError)
"""What a user can put right; each says it in one line."""


def check_inputs(scenario: Scenario) -> None:
    """Reads and verifies all of it once; raises one of `INPUT_ERRORS`."""
    inference = scenario.node.inference
    profile = load_profile(inference.profile)
    ModelRegistry().load(inference.model, inference.variant)
    if inference.variant not in profile.levels[0].ms_per_tile:
        known = ", ".join(sorted(profile.levels[0].ms_per_tile))
        raise ConfigError(
            f"node.inference.variant = {inference.variant!r}: board profile {profile.name} knows "
            f"{known}"
        )
    if scenario.imagery.source == "sentinel2":
        load_tiles(default_tiles_path())
