"""A file becomes a load, or is refused on the ground in one line that says what is allowed."""

import msgspec
import pytest

from flight.commanding.loadable import LoadVerdict
from flight.config import ConfigError
from flight.fdir.recovery_load import LimitTuning, RecoveryLoad, RecoverySet, RowTuning
from flight.fdir.safety_tables import RECOVERIES, node_limits
from flight.send_load import load_of

TUNED = """
[limits.die]
hysteresis = 8
stale_after_s = 10

[recoveries."sink too hot"]
activity = "shadow"
sequence = "rest-payload"
"""


@pytest.fixture
def load(tmp_path):
    def made(text, kind="recoveries", name="tuned.toml"):
        path = tmp_path / name
        path.write_text(text)
        return load_of(kind, path, None)

    return made


def test_a_set_of_recoveries_written_as_toml_is_what_the_node_takes(load):
    made = load(TUNED)
    assert (made.kind, made.version) == ("recoveries", RecoveryLoad.version)
    assert made.title == "recoveries, 1 limits and 1 rows not as built"
    assert msgspec.json.decode(made.data, type=RecoverySet) == RecoverySet(
        {"die": LimitTuning(hysteresis=8.0, stale_after_s=10.0)},
        {"sink too hot": RowTuning(activity="shadow", sequence="rest-payload")},
    )
    limits = node_limits(die_limit_c=85.0, soc_safe=0.4, soc_floor=0.55)
    board = RecoveryLoad(limits, RECOVERIES, lambda _set: None, lambda _blob, _ns: True)
    assert board.validate(made.data) is LoadVerdict.OK


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[limits.dye]\nhysteresis = 8", r"limits.dye: no such row; allowed is one of battery, "),
        ("[recoveries.sink]\ntimes = 1", r"recoveries.sink: no such row; .* die too hot, "),
        ("[limits.die]\npersistence = 0", r"limits.die: persistence = 0: .*from 1 to 3600"),
        ("[limits.die]\nhysteresis = inf", r"limits.die: hysteresis = inf: not a finite number"),
        ("[limits.die]\nfoo = 1", r"limits.die: .*unknown field `foo`; allowed: keys low_red"),
        ('[recoveries."ground silent"]\nactivity = "off"', r"'off': .*active, disabled, shadow"),
        ('[recoveries."link stands still"]\ntimes = 0', r"link stands still escalates: it needs"),
        ("limits = 3", r"limits = 3: Expected `object`"),
        ("limit = 3", r"unknown field `limit`"),
    ],
)
def test_a_set_that_could_not_be_meant_is_refused_on_the_ground(load, text, said):
    with pytest.raises(ConfigError, match=rf"tuned.toml: .*{said}") as refused:
        load(text)
    assert "\n" not in str(refused.value)


def test_a_file_of_another_name_goes_up_as_it_is_and_the_node_judges_it(load):
    assert load("[limits.dye]", name="tuned.bin").data == b"[limits.dye]"
