"""A referee's "dve-case" (version 1) as the values that the planner and guard of flight take.

Only what a governor may see is read: the part outside "truth". Units are those of the format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flight.thermal.horizon import Forecast, LinkWindow, Series
from flight.thermal.node_model import BatteryModel, ComputeMode, FrameClass, HeatNode, NodeModel

if TYPE_CHECKING:
    from collections.abc import Mapping

STEFAN_BOLTZMANN = 5.670374419e-8
HOUR_S = 3600.0
END_SPARE_J = 50.0
BURSTS_SHARE = 0.9
"""Of the mean that bursts add to arrivals: the rest falls into full queues."""


def node_model(case: Mapping[str, Any]) -> NodeModel:
    """The node of a case."""
    thermal, power, compute, link = case["thermal"], case["power"], case["compute"], case["link"]
    names = [node["name"] for node in thermal["nodes"]]

    def by_node(shares: Mapping[str, float], watts: float) -> tuple[float, ...]:
        return tuple(watts * float(shares.get(name, 0.0)) for name in names)

    lit_w = link["watts"] * (1.0 - link["optical_efficiency"])
    return NodeModel(
        nodes=_nodes(thermal),
        conductances=tuple(
            (names.index(edge["a"]), names.index(edge["b"]), float(edge["w_per_k"]))
            for edge in thermal["conductances"]
        ),
        modes=tuple(
            ComputeMode(
                mode["name"],
                float(mode["watts"]),
                compute["variants"].index(mode["variant"]),
                tuple(float(mode["frames_per_s"].get(c["name"], 0.0)) for c in case["classes"]),
                by_node(mode["heat_fraction"], mode["watts"]),
            )
            for mode in compute["modes"]
        ),
        classes=_classes(case),
        battery=_battery(power),
        idle_w=float(compute["idle_w"]),
        idle_heat_w=by_node(compute["idle_heat_fraction"], compute["idle_w"]),
        link_w=float(link["watts"]),
        link_heat_w=by_node(link["heat_fraction"], lit_w),
        base_w=float(power["base_load_w"]),
        base_heat_w=by_node(power["base_heat_fraction"], power["base_load_w"]),
        store_bits_max=float(case["buffers"]["bits_max"]),
        energy_end_j=float(power["battery_start_j"]) + END_SPARE_J,
        end_price_per_j=float(case["terminal"]["shortfall_value_per_j"]),
    )


def _nodes(thermal: Mapping[str, Any]) -> tuple[HeatNode, ...]:
    return tuple(
        HeatNode(
            node["name"],
            float(node["capacity_j_per_k"]),
            float(node["max_k"]),
            STEFAN_BOLTZMANN * node["radiator_area_m2"] * node["emissivity"],
        )
        for node in thermal["nodes"]
    )


def _classes(case: Mapping[str, Any]) -> tuple[FrameClass, ...]:
    variants = list(case["compute"]["variants"])
    return tuple(
        FrameClass(
            c["name"],
            tuple(float(c["value"][v]) for v in variants),
            tuple(float(c["result_bits"][v]) for v in variants),
            float(c["frames_max"]),
        )
        for c in case["classes"]
    )


def _battery(power: Mapping[str, Any]) -> BatteryModel:
    capacity_j = float(power["battery_capacity_j"])
    return BatteryModel(
        energy_max_j=capacity_j,
        energy_floor_j=capacity_j * (1.0 - power["depth_of_discharge_max"]),
        charge_efficiency=float(power["charge_efficiency"]),
        discharge_efficiency=float(power["discharge_efficiency"]),
        charge_w_max=float(power["charge_max_w"]),
        discharge_w_max=float(power["discharge_max_w"]),
    )


def forecast(case: Mapping[str, Any]) -> Forecast:
    """What a case foretells."""
    told = case["forecast"]
    outside = told["environment_heat_w"]
    return Forecast(
        end_s=float(case["duration_s"]),
        sun=_series(told["sun_fraction"]),
        array_w=float(case["power"]["array_w"]),
        heat_w=tuple(
            _series(outside.get(node["name"], [[0.0, 0.0]])) for node in case["thermal"]["nodes"]
        ),
        windows=tuple(
            sorted(
                (
                    LinkWindow(
                        float(w["start_s"]),
                        float(w["end_s"]),
                        float(w["rate_bps"]),
                        float(w["clear_probability"]),
                    )
                    for w in told["link_windows"]
                ),
                key=lambda window: window.start_s,
            )
        ),
        arrivals_fps=tuple(
            _arrivals(told["arrival_fps_hourly"][c["name"]], _burst_fps(case, c))
            for c in case["classes"]
        ),
    )


def _series(knots: list[list[float]]) -> Series:
    """Knots of one time are a step; a millisecond makes it one for the reader, too."""
    placed: list[tuple[float, float]] = []
    for t, x in knots:
        at = float(t) if not placed or float(t) > placed[-1][0] else placed[-1][0] + 1e-3
        placed.append((at, float(x)))
    return Series(placed)


def _arrivals(hourly: list[float], extra: float) -> Series:
    """Hourly rates as steps."""
    knots = []
    for hour, fps in enumerate(hourly):
        knots += [(hour * HOUR_S, fps + extra), ((hour + 1) * HOUR_S - 1e-3, fps + extra)]
    return Series(knots)


def _burst_fps(case: Mapping[str, Any], frames: Mapping[str, Any]) -> float:
    """What bursts add on average, to the class of most value a frame."""
    bursts = case["forecast"].get("bursts")
    most = max(case["classes"], key=lambda c: max(c["value"].values()))
    if not bursts or frames["name"] != most["name"]:
        return 0.0
    a_day = bursts["per_day_mean"] * bursts["event_fps_mean"] * bursts["length_s_mean"]
    return float(BURSTS_SHARE * a_day / 86_400.0)
