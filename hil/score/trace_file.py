"""Decisions and states of a scored day, as "dve-trace" version 1: NumPy arrays, no pickles."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

import numpy as np

from hil.score.case_format import case_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hil.score.day_replay import DayReplay, Wish

FORMAT, VERSION = "dve-trace", 1


class TraceRecorder:
    """Takes each second's decision and what came of it."""

    def __init__(self, case: Mapping[str, Any], replay: DayReplay) -> None:
        seconds = int(case["duration_s"])
        kinds = len(case["compute"]["variants"]), len(case["classes"])
        self._case = case
        self.work = np.zeros((seconds, len(case["compute"]["modes"]), kinds[1]))
        self.link_on = np.zeros(seconds)
        self.sent_bits = np.zeros((seconds, *kinds))
        self.discard = np.zeros((seconds, *kinds), np.int32)
        self.produced = np.zeros((seconds, *kinds), np.int32)
        self.battery_j = np.zeros(seconds + 1)
        self.temperature_k = np.zeros((seconds + 1, len(replay.temp_k)))
        self.battery_j[0], self.temperature_k[0] = replay.energy_j, replay.temp_k

    def take(self, k: int, wish: Wish, replay: DayReplay) -> None:
        """Second `k`, after `replay.act(wish)`."""
        for m, c, share in wish.work:
            self.work[k, m, c] += share
        self.link_on[k] = wish.link_on
        for v, c, bits in wish.sends:
            self.sent_bits[k, v, c] += bits
        for v, c, count in wish.discard:
            self.discard[k, v, c] += count
        for v, c, count in replay.made:
            self.produced[k, v, c] = count
        self.battery_j[k + 1], self.temperature_k[k + 1] = replay.energy_j, replay.temp_k

    def save(self, file: IO[bytes], replay: DayReplay) -> None:
        """Writes the file's octets."""
        delivered, penalty = replay.value()
        np.savez_compressed(
            file,
            format=FORMAT,
            version=VERSION,
            case_id=case_id(self._case),
            work=self.work,
            link_on=self.link_on,
            sent_bits=self.sent_bits,
            discard=self.discard,
            produced=self.produced,
            battery_j=self.battery_j,
            temperature_k=self.temperature_k,
            delivered_value=delivered,
            penalty=penalty,
        )
