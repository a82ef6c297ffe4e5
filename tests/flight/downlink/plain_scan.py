"""Records of a segment in plain words: what the scanner in C is held to."""

from flight.downlink.segment_record import HEADER_BYTES, MAGIC, Place, decode_header, verified


def scan(log, segment, offset=0):
    """Every valid record from `offset` on; ends at zeros or at a torn record.

    A damaged record in the middle is stepped over when another record follows it.
    """
    octets = log.octets(segment, 0, log.size_bytes(segment))
    while True:
        head = octets[offset : offset + HEADER_BYTES]
        header = decode_header(head)
        if header is None or offset + header.room > len(octets):
            return
        body = octets[offset + HEADER_BYTES :][: header.length]
        record = verified(Place(segment, offset), head, header, body)
        offset += header.room
        if record is not None:
            yield record
        elif octets[offset : offset + len(MAGIC)] != MAGIC:
            return
