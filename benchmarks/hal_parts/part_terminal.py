"""A laser terminal on a serial line that goes away and comes back: when the node may send again."""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from hal.native_devices import NativeDevices
from hal.terminal_values import LinePhase, SerialTerminal
from hil.bench_link.port_serial import PtyPort
from hil.terminal.emulated_head import EmulatedHead, Sky
from hil.terminal.terminal_port import ServedTerminal

REPLUGS = 20
REPLUG_S_MAX = 5
"""Promised: back in less."""
LOOK_S = 0.001


async def _until(condition):
    begin_s = time.monotonic()
    while not condition():  # noqa: ASYNC110  a view in C has no event to wait for
        await asyncio.sleep(LOOK_S)
    return time.monotonic() - begin_s


async def _replugs(device):
    """For each time: seconds to registers and full credit, seconds until its loss is noticed."""
    devices = NativeDevices("sim", terminal=SerialTerminal(str(device)))

    def whole():
        view = devices.terminal_line()
        return view.regs_t_ns and devices.snapshot().tx_fifo_free == 32

    for turn in range(REPLUGS):
        served = ServedTerminal(EmulatedHead(Sky(), time.monotonic_ns()), port := PtyPort())
        device.symlink_to(port.name)
        back_s = await _until(whole)
        served.close()
        device.unlink()
        noticed_s = await _until(lambda: devices.terminal_line().phase is LinePhase.CLOSED)
        # So that the next one does not come at the same point of the search.
        await asyncio.sleep(0.013 * turn)
        yield back_s, noticed_s
    devices.close()


async def _measured(device):
    return [times async for times in _replugs(device)]


def rows():
    """Loss and return over a pseudo-terminal."""
    with tempfile.TemporaryDirectory() as folder:
        back_s, noticed_s = zip(*asyncio.run(_measured(Path(folder) / "laser")), strict=True)
    yield f"terminal unplugged: until noticed, most of {REPLUGS}", max(noticed_s), "s", None
    yield "terminal back: registers and credit, median", statistics.median(back_s), "s", None
    yield f"terminal back: most of {REPLUGS}", max(back_s), "s", REPLUG_S_MAX
