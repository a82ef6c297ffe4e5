"""Builds `hal._native`: the C sources and, from the very text of their headers, the cffi interface.

No declaration is typed a second time: the headers are reduced to what cffi's parser reads (no
comments, no directives but integer constants, no `extern "C"`), so the C compiler checks the Python
side as well. `setup.py` names `ffibuilder` and links the program of the guard's supervisor; nothing
at run time imports this file.
"""

from __future__ import annotations

import re
from pathlib import Path

from cffi import FFI  # type: ignore[import-untyped]  # cffi ships no types

ROOT = Path(__file__).resolve().parent.parent
HEADERS = (
    "hal_board.h",
    "hal.h",
    "backend_linux.h",
    "terminal_registers.h",
    "term_link.h",
    "backend_sim.h",
    "bench_link.h",
    "backend_link.h",
    "framer.h",
    "rs_code.h",
    "erasure_code.h",
    "guard.h",
    "guard_supervisor.h",
    "tick.h",
    "hal_wake.h",
    "linux_syscalls.h",
    "linux_camera.h",
    "camera_tile.h",
    "camera_reader.h",
    "lp_banded.h",
    "plan.h",
    "product_catalogue.h",
    "segment_scan.h",
)
SOURCES = (
    "native/src/backend_link.c",
    "native/src/backend_link_devices.c",
    "native/src/backend_link_events.c",
    "native/src/backend_link_owner.c",
    "native/src/backend_link_thread.c",
    "native/src/backend_linux.c",
    "native/src/backend_linux_board.c",
    "native/src/backend_linux_config.c",
    "native/src/backend_linux_frame.c",
    "native/src/backend_linux_lines.c",
    "native/src/backend_linux_plan.c",
    "native/src/backend_sim.c",
    "native/src/backend_sim_bench.c",
    "native/src/backend_sim_terminal.c",
    "native/src/band_matrix.c",
    "native/src/camera_format.c",
    "native/src/camera_reader.c",
    "native/src/camera_session.c",
    "native/src/camera_tile.c",
    "native/src/catalogue_select.c",
    "native/src/catalogue_stage.c",
    "native/src/crc_fold.c",
    "native/src/erasure_code.c",
    "native/src/frame_ring.c",
    "native/src/framer.c",
    "native/src/framer_batch.c",
    "native/src/framer_crc.c",
    "native/src/guard.c",
    "native/src/guard_plan.c",
    "native/src/guard_supervisor.c",
    "native/src/hal_actuators.c",
    "native/src/hal_core.c",
    "native/src/hal_terminal.c",
    "native/src/link_clock.c",
    "native/src/link_cobs.c",
    "native/src/link_codec.c",
    "native/src/link_frames.c",
    "native/src/link_latest.c",
    "native/src/link_line.c",
    "native/src/link_outbox.c",
    "native/src/link_payloads.c",
    "native/src/link_registers.c",
    "native/src/link_ring.c",
    "native/src/link_sequence.c",
    "native/src/link_session.c",
    "native/src/link_session_owner.c",
    "native/src/link_session_receive.c",
    "native/src/link_session_send.c",
    "native/src/link_states.c",
    "native/src/linux_calls.c",
    "native/src/linux_camera.c",
    "native/src/linux_camera_stream.c",
    "native/src/linux_caps.c",
    "native/src/linux_cell.c",
    "native/src/linux_energy.c",
    "native/src/linux_gpio.c",
    "native/src/linux_i2c.c",
    "native/src/linux_ina.c",
    "native/src/linux_ina_plan.c",
    "native/src/linux_inventory.c",
    "native/src/linux_journal.c",
    "native/src/linux_journal_restore.c",
    "native/src/linux_journal_text.c",
    "native/src/linux_levels.c",
    "native/src/linux_nvpmodel.c",
    "native/src/linux_pmic.c",
    "native/src/linux_probe.c",
    "native/src/linux_probe_clocks.c",
    "native/src/linux_probe_hwmon.c",
    "native/src/linux_probe_rails.c",
    "native/src/linux_roles.c",
    "native/src/linux_sampler.c",
    "native/src/linux_sampler_threads.c",
    "native/src/linux_schedule.c",
    "native/src/linux_source.c",
    "native/src/linux_source_devices.c",
    "native/src/linux_spi.c",
    "native/src/linux_syscalls.c",
    "native/src/linux_text.c",
    "native/src/linux_tree.c",
    "native/src/linux_vcio.c",
    "native/src/linux_watchdog.c",
    "native/src/lp_banded.c",
    "native/src/lp_normal.c",
    "native/src/lp_step.c",
    "native/src/plan.c",
    "native/src/plan_rows.c",
    "native/src/product_catalogue.c",
    "native/src/rs_code.c",
    "native/src/rs_decode.c",
    "native/src/segment_scan.c",
    "native/src/stored_manifest.c",
    "native/src/term_calls.c",
    "native/src/term_client.c",
    "native/src/term_link.c",
    "native/src/term_orders.c",
    "native/src/term_writes.c",
    "native/src/terminal_registers.c",
    "native/src/tick.c",
    "native/src/tick_book.c",
    "native/src/tick_realtime.c",
    "native/src/tick_source.c",
)
LIBRARIES: tuple[str, ...] = ()
GUARD_PROGRAM = "lumenode-guard"
GUARD_SOURCES = (
    "native/guard/lumenode_guard.c",
    "native/src/guard.c",
    "native/src/guard_plan.c",
    "native/src/guard_seat.c",
    "native/src/linux_calls.c",
    "native/src/linux_syscalls.c",
    "native/src/tick.c",
    "native/src/tick_book.c",
    "native/src/tick_realtime.c",
)
INCLUDES = ("native/include", "native/src")
COMPILE_ARGS = (
    "-std=c11",
    "-pthread",
    "-O2",
    "-ffp-contract=off",
    "-Wall",
    "-Wextra",
    "-Wconversion",
    "-Wshadow",
)
# cffi's generated glue follows cffi's rules, not ours; our own sources are compiled apart from it.
GLUE_PREAMBLE = """
#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#endif
"""

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_EXTERN_C = re.compile(r"#ifdef __cplusplus.*?#endif", re.DOTALL)
_INTEGER_CONSTANT = re.compile(r"#define\s+\w+\s+(0x[0-9A-Fa-f]+|-?\d+)\s*$")


def declarations(header: str) -> str:
    """Reduce a C header to the declarations and integer constants that cffi parses."""
    text = _EXTERN_C.sub("", _COMMENT.sub("", header)).replace("\\\n", " ")
    kept = []
    for line in text.splitlines():
        if line.lstrip().startswith("#") and not _INTEGER_CONSTANT.match(line):
            continue
        if line.strip():
            kept.append(line.rstrip())
    return "\n".join(kept) + "\n"


def make_ffi() -> FFI:
    """Describe the extension module `hal._native`, for the stable ABI of Python 3.11 on."""
    include = ROOT / "native" / "include"
    ffi = FFI()
    for name in HEADERS:
        ffi.cdef(declarations((include / name).read_text(encoding="ascii")))
    includes = "".join(f'#include "{name}"\n' for name in HEADERS)
    ffi.set_source(
        "hal._native",
        GLUE_PREAMBLE + includes,
        sources=list(SOURCES),
        include_dirs=list(INCLUDES),
        depends=[
            str(path.relative_to(ROOT))
            for folder, ends in (
                (include, "*.h"),
                (ROOT / "native" / "src", "*.h"),
                (ROOT / "native" / "src", "*.inc"),
            )
            for path in sorted(folder.glob(ends))
        ],
        extra_compile_args=list(COMPILE_ARGS),
        extra_link_args=["-pthread"],
        libraries=list(LIBRARIES),
        py_limited_api=True,
    )
    return ffi


ffibuilder = make_ffi()
