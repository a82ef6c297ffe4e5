"""A model as it flies: its session on this runtime, fed as its manifest says, under guard."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from flight.inference.guarded_session import GuardedSession
from flight.inference.job import BANDS
from flight.inference.model_manifest import ModelError
from flight.inference.network_interface import interface_of
from flight.inference.session_ort import PROVIDERS, OrtSession, laid_out, provider_at_hand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flight.inference.model_manifest import Manifest, ModelBytes
    from flight.inference.network_interface import NetworkInterface
    from flight.inference.weight_bank import WeightBank


def guarded(
    model: ModelBytes,
    *,
    provider: str = "cpu",
    bands: Sequence[str] = BANDS,
    threads: int = 1,
) -> GuardedSession:
    """Build it.

    Raises ``ModelError``: does not load, wrong inputs, not on the provider wanted, or its golden
    tile has another answer.
    """
    entry = model.manifest.variants[model.variant]
    multiple_px = entry.multiple_px or model.manifest.input.multiple_px
    wanted = PROVIDERS[provider_at_hand(provider)]
    return GuardedSession(
        model.data,
        entry.golden if entry.golden.expected_b64 else None,
        partial(
            _session,
            providers=wanted,
            interface=interface_of(model.manifest, bands),
            threads=threads,
        ),
        partial(laid_out, threads=threads, providers=wanted),
        bands=bands,
        multiple_px=multiple_px,
    )


def flown_session(model: ModelBytes) -> OrtSession:
    """A model's session without a guard, for the bench, which computes each tile once."""
    return OrtSession(model.data, interface=interface_of(model.manifest))


def trial_fault(model: ModelBytes) -> str:
    """Say why a model cannot be flown in this process, "" if it can."""
    try:
        guarded(model)
    except ModelError as error:
        return str(error)
    return ""


def plain_session(data: bytes, bank: WeightBank, *, manifest: Manifest) -> OrtSession:
    """The session below the guard, one thread on the CPU, of a network as `plain_layout` gives."""
    interface = interface_of(manifest)
    return _session(data, bank, providers=PROVIDERS["cpu"], interface=interface, threads=1)


def plain_layout(data: bytes) -> bytes:
    """A network as `plain_session` wants it."""
    return laid_out(data, threads=1, providers=PROVIDERS["cpu"])


def _session(
    data: bytes,
    bank: WeightBank,
    *,
    providers: Sequence[str],
    interface: NetworkInterface,
    threads: int,
) -> OrtSession:
    return OrtSession(
        data, threads=threads, providers=providers, interface=interface, bank=bank
    )  # fmt: skip
