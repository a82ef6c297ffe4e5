"""The bench's own book: made, freed, and freed although the ground lacks it."""

from flight.telemetry.dictionary import EVENT_BY_NAME
from flight.telemetry.event_log import Event
from flight.wire.crc import crc32c
from flight.wire.product_packet import Manifest, ProductClass
from hil.ground.archive import Archive
from hil.product_ledger import ProductLedger


def event(name, /, **args):
    return Event(EVENT_BY_NAME[name].event_id, 0, args)


def created(number, size=100, value=0.5):
    return event("PRODUCT_CREATED", product=number, name=f"p{number}", size=size, value=value)


def file(archive, number, received_ns=0):
    payload = bytes([number])
    manifest = Manifest(
        product_id=number, klass=ProductClass.MASK, size_bytes=1, crc32c=crc32c(payload),
        value_millis=1, deadline_ns=None, created_ns=0, name=f"p{number}", depends_on=None,
    )  # fmt: skip
    archive.file(manifest, payload, received_ns)


def test_what_was_made_is_counted_once_even_when_a_reset_tells_it_again():
    ledger = ProductLedger()
    for number in (1, 2, 2):
        ledger.on_event(created(number, size=number * 100, value=number / 3))
    ledger.on_event(event("PRODUCT_EXPIRED", product=1))
    assert (ledger.products, ledger.size_bytes, ledger.value_millis) == (2, 300, 333 + 667)


def test_delivered_value_is_what_the_ground_has_and_not_what_the_node_says(tmp_path):
    ledger, archive = ProductLedger(), Archive(tmp_path, sync=False)
    for number in (1, 2, 3):
        ledger.on_event(created(number, value=number))
    ledger.on_event(event("PRODUCT_DELIVERED", product=1))
    assert ledger.delivered_value_millis(archive) == 0
    file(archive, 2)
    file(archive, 9)  # of an earlier run
    assert ledger.delivered_value_millis(archive) == 2_000


def test_value_that_decays_counts_as_it_was_when_it_came(tmp_path):
    ledger, archive = ProductLedger(), Archive(tmp_path, sync=False)
    for number in (1, 2, 3):
        ledger.on_event(created(number, value=1.0))
        file(archive, number, received_ns=(number - 1) * 10)
    assert ledger.delivered_value_millis(archive) == 3_000
    assert ledger.delivered_value_millis(archive, half_life_ns=10) == 1_000 + 500 + 250
    reopened = Archive(tmp_path, sync=False)
    assert ledger.delivered_value_millis(reopened, half_life_ns=10) == 1_000 + 500 + 250


def test_a_freed_product_that_the_ground_lacks_is_found(tmp_path):
    ledger, archive = ProductLedger(), Archive(tmp_path, sync=False)
    for number in (1, 2):
        ledger.on_event(created(number))
        ledger.on_event(event("PRODUCT_DELIVERED", product=number))
    assert ledger.freed_but_missing(archive) == 2
    file(archive, 1)
    assert ledger.freed_but_missing(archive) == 1
    ledger.on_event(event("PRODUCT_DELIVERED", product=2))
    assert ledger.freed_but_missing(archive) == 1
    file(archive, 2)
    assert ledger.freed_but_missing(archive) == 0
