"""`lumenode cfdp`: products that came down, handed as files to a standard ground system."""

from __future__ import annotations

import argparse
import json
import socket
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from flight.one_line_parser import OneLineParser
from flight.wire.errors import WireError
from flight.wire.space_packet import APID_MAX
from hil.argument_values import real, whole
from hil.cfdp.archive_files import ArchiveFiles
from hil.cfdp.gateway import Gateway
from hil.cfdp.pdu_packet import CFDP_APID
from hil.cfdp.pdu_values import ChecksumType, Entities
from hil.cfdp.sender_values import SenderConfig
from hil.cfdp.sending_entity import SendingEntity
from hil.cfdp.transfer_book import BookError, TransferBook

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hil.cfdp.sender_values import Told

EXIT_GOOD, EXIT_FAILED, EXIT_USAGE = 0, 1, 2
CHECKSUMS = {
    "modular": ChecksumType.MODULAR,
    "crc32": ChecksumType.CRC_32,
    "crc32c": ChecksumType.CRC_32C,
}
EPILOG = """Repeats what the ground system asks for; stopped and started again, it goes on with what
the ground system lacks. docs/cfdp.md shows the other end.

example: lumenode cfdp runs/first-flight/products --to 127.0.0.1:10015 --once"""


def main_cfdp(argv: Sequence[str]) -> int:
    """Exit code: 0 ended as asked, 1 a file was left alone or not accepted, 2 usage."""
    options = _parser().parse_args(argv)
    folder = Path(options.archive)
    with ExitStack() as stack:
        try:
            entities = Entities(options.entity, options.peer, options.id_bytes, options.seq_bytes)
            config = SenderConfig(entities, CHECKSUMS[options.checksum], options.segment)
            path = Path(options.book or folder / f".cfdp-{options.peer}.jsonl")
            book = TransferBook(path)
            stack.callback(book.close)
            begun = {file.product_id for file in book.begun.values()}
            files = ArchiveFiles(folder, book.delivered | begun)
            stack.callback(files.close)
            entity = SendingEntity(config, files, book, dict(book.begun))
            gateway = Gateway(options.listen, options.to, apid=options.apid, rate_bps=options.rate)
            stack.callback(gateway.close)
        except (BookError, WireError) as error:
            sys.stderr.write(f"lumenode cfdp: {error}\n")
            return EXIT_USAGE
        except OSError as error:
            where = error.filename or "{}:{}".format(*options.listen)
            sys.stderr.write(f"lumenode cfdp: {where}: {error.strerror}\n")
            return EXIT_USAGE
        journal = _Journal(as_json=options.json)
        journal.begins(gateway.here, options.to)
        gateway.serve(entity, files, tell=journal.tell, until=_end(options))
        journal.ends(entity, files)
    return EXIT_FAILED if entity.counts["files_left_alone"] or files.refused else EXIT_GOOD


def _end(options: argparse.Namespace) -> Callable[[int, bool], bool]:
    def until(passed_ns: int, nothing_left: bool) -> bool:  # noqa: FBT001  a callback
        over = options.seconds is not None and passed_ns >= options.seconds * 1e9
        return over or (options.once and nothing_left)

    return until


class _Journal:
    """Lines for people, or JSON objects, one a line."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    def begins(self, here: tuple[str, int], there: tuple[str, int]) -> None:
        text = f"listening on {here[0]}:{here[1]}, sending to {there[0]}:{there[1]}"
        self._write({"what": "listening", "here": list(here), "there": list(there)}, text)

    def tell(self, told: list[Told]) -> None:
        for item in told:
            name, product_id, size = item.file.name, item.file.product_id, item.file.size
            line = {
                "what": item.what,
                "product_id": product_id,
                "file": name,
                "sequence": item.sequence,
                "why": item.why,
            }
            why = "" if item.why is None else f": {item.why}"
            self._write(line, f"{item.what}: {name}, product {product_id}, {size} B{why}")

    def ends(self, entity: SendingEntity, files: ArchiveFiles) -> None:
        for name, why in sorted(files.refused.items()):
            self._write({"what": "refused", "file": name, "why": why}, f"refused: {name}: {why}")
        counts = dict(sorted(entity.counts.items()))
        line = {"what": "ended", "files_unfinished": entity.unfinished, **counts}
        text = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items())
        self._write(line, f"ended: {entity.unfinished} files unfinished, {text or 'nothing sent'}")

    def _write(self, line: dict[str, object], text: str) -> None:
        sys.stdout.write((json.dumps(line) if self._as_json else text) + "\n")
        sys.stdout.flush()


def _parser() -> OneLineParser:
    parser = OneLineParser(
        prog="lumenode cfdp",
        description="Hand products that came down to a standard ground system, as files by CFDP "
        "class 2, in space packets over UDP.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("archive", metavar="ARCHIVE", help="folder of products; may be growing")
    parser.add_argument("--to", metavar="HOST:PORT", type=_address, default="127.0.0.1:10015",
                        help="where the ground system takes packets (127.0.0.1:10015)")  # fmt: skip
    parser.add_argument("--listen", metavar="HOST:PORT", type=_address, default="127.0.0.1:10025",
                        help="where its packets come in (127.0.0.1:10025)")  # fmt: skip
    _add_managed_parameters(parser)
    parser.add_argument("--book", metavar="FILE",
                        help="what it has already (ARCHIVE/.cfdp-PEER.jsonl)")  # fmt: skip
    parser.add_argument("--once", action="store_true", help="end when it has all there is")
    parser.add_argument(
        "--for", dest="seconds", metavar="S", type=real(1e-3, 1e9), help="end by itself"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    return parser


def _add_managed_parameters(parser: OneLineParser) -> None:
    """What both ends have to agree on."""
    parser.add_argument(
        "--entity", type=whole(0, 2**64 - 1), default=2, help="entity ID of this end (2)"
    )
    parser.add_argument(
        "--peer", type=whole(0, 2**64 - 1), default=1, help="entity ID of the ground system (1)"
    )
    parser.add_argument("--id-bytes", type=whole(1, 8), default=2, help="width of entity IDs (2)")
    parser.add_argument(
        "--seq-bytes", type=whole(2, 8), default=4, help="width of sequence numbers (4)"
    )
    parser.add_argument(
        "--checksum", choices=list(CHECKSUMS), default="modular", help="of a file (modular)"
    )
    parser.add_argument("--segment", metavar="BYTES", type=whole(16, 32_768), default=1_024,
                        help="octets of a file in one PDU (1024)")  # fmt: skip
    parser.add_argument(
        "--apid", type=whole(0, APID_MAX - 1), default=CFDP_APID, help=f"({CFDP_APID})"
    )
    parser.add_argument("--rate", metavar="BPS", type=real(1e3, 1e10), default=8e6,
                        help="of what is sent, bits per second (8e6)")  # fmt: skip


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not (host and port.isascii() and port.isdecimal() and int(port) < 65_536):
        raise argparse.ArgumentTypeError(f"{text!r}: allowed is HOST:PORT, port 0 to 65535")
    try:
        return socket.gethostbyname(host), int(port)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{host!r}: {error.strerror}") from None
