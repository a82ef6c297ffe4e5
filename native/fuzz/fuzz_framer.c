/*
 * Received frames: whatever octets come, framer_check() says yes only to a frame whose parts lie
 * within it and whose headers are written again as they were read. Each input is also tried with
 * its check value made right, or the fuzzer would never get past it.
 */
#include "framer.h"

#include <stdlib.h>
#include <string.h>

enum { FRAME_BYTES_MAX = 12000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds) {
        abort();
    }
}

static void check_layout(const uint8_t *frame, uint64_t bytes, const struct framer_layout *layout)
{
    uint8_t again[FRAMER_PACKETS_AT];
    static uint8_t rebuilt[FRAME_BYTES_MAX];
    struct framer_layout second;
    struct framer_spec spec = {.header = layout->header, .spi = layout->spi};

    require(layout->header.frame_bytes == bytes);
    require(layout->packets_at == FRAMER_PACKETS_AT);
    require(layout->packets_at + layout->packets_bytes <= layout->mac_at);
    require(layout->mac_at < layout->fecf_at && layout->fecf_at + 2 == bytes);
    require(framer_write_primary(&layout->header, again, sizeof again) > 0);
    memcpy(spec.iv, layout->iv, sizeof spec.iv);
    require(framer_build(&spec, layout->packets_bytes, rebuilt, sizeof rebuilt, &second) ==
            (int32_t)bytes);
    require(memcmp(rebuilt, frame, FRAMER_PACKETS_AT) == 0);
    require(second.mac_at == layout->mac_at && second.fecf_at == layout->fecf_at);
}

static void check_frame(const uint8_t *frame, uint64_t bytes)
{
    struct framer_layout layout;
    int32_t verdict = framer_check(frame, bytes, &layout);

    require(verdict <= 0 && strcmp(framer_strerror(verdict), "FRAMER_E_UNKNOWN") != 0);
    if (verdict == FRAMER_OK) {
        check_layout(frame, bytes, &layout);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t sealed[FRAME_BYTES_MAX];
    struct framer_header header;
    int32_t header_bytes = framer_read_primary(data, size, &header);

    if (header_bytes > 0) {
        uint8_t again[16];

        require((size_t)header_bytes <= size);
        require(framer_write_primary(&header, again, sizeof again) == header_bytes);
        require(memcmp(again, data, (size_t)header_bytes) == 0);
    }
    check_frame(data, size);
    if (size > 0 && size <= sizeof sealed) {
        memcpy(sealed, data, size);
        if (framer_seal(sealed, size) == FRAMER_OK) {
            check_frame(sealed, size);
        }
    }
    return 0;
}
