"""The parameters over resets and loads: found again at a start, made durable, replaced, put back.

Hop "acted" of command -> ack. A kind of load (`Loadable`): the whole table as JSON, name -> value;
what a load does not name takes its default, so a dump loaded again is the same table. Pure but for
the two functions of the store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from flight.commanding.loadable import LoadVerdict
from flight.commanding.parameter_copies import CopyVerdict
from flight.commanding.parameters import ParameterTable, ParameterVerdict, judge_parameter
from flight.downlink.store_values import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flight.commanding.parameter_copies import ParameterCopies
    from flight.telemetry.event_log import EventLog

_LOAD = msgspec.json.Decoder(dict[str, float])
_VERDICTS = {
    ParameterVerdict.SET: LoadVerdict.OK,
    ParameterVerdict.UNKNOWN: LoadVerdict.NOT_FOUND,
    ParameterVerdict.OUT_OF_RANGE: LoadVerdict.OUT_OF_RANGE,
}


class ParameterKeeper:
    """Owns the table in force and its copies.

    Attributes:
        table: the parameters in force; the same object for the life of the node.
        kind, version, bytes_max: of a load, see `Loadable`.

    Args:
        configured: what the configuration sets on top of the defaults.
    """

    kind: Final = "parameters"
    version: Final = 1
    bytes_max: Final = 16_384

    def __init__(
        self, copies: ParameterCopies, configured: Mapping[str, float], events: EventLog
    ) -> None:
        self._copies = copies
        self._events = events
        self.table = ParameterTable(configured)

    def recover(self, now_ns: int) -> None:
        """What the ground had set before the last reset; a bad copy is told, and so is its end."""
        found = self._copies.read()
        for name, verdict in found.bad:
            self._events.emit("PARAMETER_COPY_BAD", now_ns, copy=name, reason=verdict.value)
        if found.values is None and found.bad:
            self._events.emit("PARAMETERS_LOST", now_ns)
        for name, value in (found.values or {}).items():
            outcome = self.table.set(name, value)
            if outcome is not ParameterVerdict.SET:
                self._events.emit("PARAMETER_IGNORED", now_ns, name=name, reason=outcome.value)
        if found.bad and found.values is not None:
            self.save(now_ns)

    def save(self, now_ns: int) -> bool:
        """Makes what the ground has set durable; False, and told, when the store cannot."""
        try:
            self._copies.write(self.table.changed())
        except StoreError as error:
            self._events.emit("STORE_FAILED", now_ns, kind=error.kind.name)
            return False
        return True

    def validate(self, data: bytes) -> LoadVerdict:
        """See `Loadable`."""
        return _judge(data)[0]

    def activate(self, data: bytes, now_ns: int) -> LoadVerdict:
        """See `Loadable`."""
        verdict, values = _judge(data)
        if verdict is not LoadVerdict.OK:
            return verdict
        return self._exchange(values, "load", now_ns)

    def roll_back(self, now_ns: int) -> LoadVerdict:
        """See `Loadable`."""
        verdict, values = self._copies.former()
        if verdict is CopyVerdict.ABSENT:
            return LoadVerdict.NOT_FOUND
        if verdict is not CopyVerdict.GOOD:
            return LoadVerdict.BAD_CHECKSUM
        return self._exchange(values, "way back", now_ns)

    def dump(self) -> bytes:
        """See `Loadable`: what differs from the defaults."""
        return msgspec.json.encode(self.table.differing())

    def _exchange(self, values: Mapping[str, float], source: str, now_ns: int) -> LoadVerdict:
        """Another table in force, and the present one as the way back."""
        before = self.table.differing()
        verdict = self.table.replace(values)
        if verdict is not ParameterVerdict.SET:
            return _VERDICTS[verdict]
        try:
            self._copies.keep_former(before)
            self._copies.write(self.table.changed())
        except StoreError as error:
            self.table.replace(before)
            self._events.emit("STORE_FAILED", now_ns, kind=error.kind.name)
            return LoadVerdict.NOT_DURABLE
        count = len(self.table.differing())
        self._events.emit("PARAMETERS_REPLACED", now_ns, source=source, count=count)
        return LoadVerdict.OK


def _judge(data: bytes) -> tuple[LoadVerdict, dict[str, float]]:
    try:
        values = _LOAD.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return LoadVerdict.UNREADABLE, {}
    for name, value in values.items():
        verdict = _VERDICTS[judge_parameter(name, value)]
        if verdict is not LoadVerdict.OK:
            return verdict, {}
    return LoadVerdict.OK, values
