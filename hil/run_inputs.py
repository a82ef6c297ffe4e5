"""What a run needs beside its scenario: board profile, network, imagery; looked at first.

So that whatever is missing is said before the folder of an earlier run is touched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.config import ConfigError, load_profile
from flight.inference.model_manifest import ModelError
from flight.inference.model_registry import crew_of, registry_of
from flight.inference.tile_cache import ImageryError
from hil.imagery import default_tiles_path, load_tiles

if TYPE_CHECKING:
    from hil.scenario import Scenario

INPUT_ERRORS = (ConfigError, ImageryError, ModelError)
"""What a user can put right; each says it in one line."""


def check_inputs(scenario: Scenario, source: str) -> None:
    """Reads and verifies all of it once; raises one of `INPUT_ERRORS`, which names `source`."""
    inference = scenario.node.inference
    try:
        profile = load_profile(inference.profile)
    except ConfigError as error:
        raise ConfigError(f"{source}: node.{error}") from None
    models = registry_of(inference)
    if inference.model not in models.names():
        known = ", ".join(models.names()) or "none"
        raise ConfigError(
            f"{source}: node.inference.model = {inference.model!r}: no such model; known: {known}"
        )
    crew_of(inference)
    if not profile.watts_known:
        raise ConfigError(
            f"{source}: node.inference.profile = {inference.profile!r}: the bench needs a profile "
            "with watts"
        )
    if scenario.imagery.source == "sentinel2":
        load_tiles(default_tiles_path())
