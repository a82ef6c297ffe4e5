/*
 * store_stage.h - records and manifests as the store writes them, for the tests that read them.
 */
#ifndef LUMENODE_STORE_STAGE_H
#define LUMENODE_STORE_STAGE_H

#include "framer.h"

#include <stdint.h>
#include <string.h>

static inline uint8_t *put_big(uint8_t *at, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        at[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
    }
    return at + bytes;
}

/* A manifest of the wide kind, or of the narrow one; returns its length. */
static inline uint32_t put_manifest(uint8_t *out, int narrow, uint64_t product_id, uint64_t size,
                                    uint32_t flags, const char *name)
{
    uint8_t *at = out;

    at = put_big(at, narrow ? 1 : 4, 1);
    at = put_big(at, flags, 1);
    at = put_big(at, 3, 1); /* a mask */
    at = put_big(at, product_id, 8);
    at = put_big(at, size, narrow ? 4 : 5);
    at = put_big(at, 0xC0FFEE, 4);
    at = put_big(at, 3000, 8); /* value */
    at = put_big(at, 77, 8);   /* deadline */
    at = put_big(at, 5, 8);    /* created */
    at = put_big(at, 1, 8);    /* depends on */
    at = put_big(at, strlen(name), 1);
    memcpy(at, name, strlen(name));
    return (uint32_t)(at - out) + (uint32_t)strlen(name);
}

/* A whole record, its end filled up with zeros; returns the room it takes. */
static inline uint32_t put_record(uint8_t *out, uint32_t kind, uint64_t identity,
                                  const uint8_t *meta, uint32_t meta_bytes, uint32_t payload_bytes)
{
    const uint32_t length = meta_bytes + payload_bytes;
    uint8_t *at = put_big(out, 0x4C4E5201, 4);

    at = put_big(at, 1, 1);
    at = put_big(at, kind, 1);
    at = put_big(at, meta_bytes, 2);
    at = put_big(at, identity, 8);
    at = put_big(at, length, 4);
    memcpy(at + 4, meta, meta_bytes);
    memset(at + 4 + meta_bytes, 0x5A, payload_bytes);
    put_big(at, framer_crc32c(framer_crc32c(0, out, 20), at + 4, length), 4);
    memset(at + 4 + length, 0, (8 - length % 8) % 8);
    return (24 + length + 7) / 8 * 8;
}

#endif
