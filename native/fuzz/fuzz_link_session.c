/*
 * A session fed by anybody: raw octets, or messages that are whole and of the right session but
 * otherwise whatever the input says. It stays in its memory, its events and its output are well
 * formed, its counts only rise, and a peer that behaves gets through to it afterwards.
 */
#include "link_session.h"

#include <stdlib.h>
#include <string.h>

enum { FRAMES = 3, FRAME_BYTES = 600, PEER = 0x1234567 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t tx_memory[FRAMES * (FRAME_BYTES + 8) / 8];
static uint64_t rx_memory[FRAMES * (FRAME_BYTES + 8) / 8];
static struct link_ring tx;
static struct link_ring rx;
static struct link_session session;
static uint64_t now_ns;

static void require(int holds)
{
    if (!holds) {
        abort();
    }
}

static void feed(const uint8_t *octets, uint32_t bytes)
{
    struct link_event event;
    uint32_t at = 0;

    do {
        at += link_session_feed(&session, octets + at, bytes - at, now_ns, &event);
        require(event.type <= LINK_EVENT_MESSAGE);
        if (event.type == LINK_EVENT_MESSAGE) {
            require(link_channel_of(event.message.header.type) >= 0);
            require(event.message.header.payload_bytes <= LINK_PAYLOAD_BYTES_MAX);
        }
    } while (event.type != LINK_EVENT_NONE || at < bytes);
}

/* What it writes is messages, every octet of it. */
static void drain(void)
{
    static uint8_t out[1 << 16];
    static struct link_decoder decoder;
    struct link_message message;
    uint32_t bytes = link_session_drain(&session, now_ns, out, sizeof out, sizeof out);

    link_decoder_init(&decoder);
    for (uint32_t at = 0, taken = 0; at < bytes; at += taken) {
        if (link_decode(&decoder, out + at, bytes - at, &taken, &message)) {
            require(message.header.session == session.own_session);
        }
    }
    require(decoder.filled == 0 && decoder.counters.corrupt + decoder.counters.bad_layout == 0);
}

static uint64_t step(void)
{
    struct link_event event;
    uint64_t next_ns = 0;

    do {
        next_ns = link_session_step(&session, now_ns, &event);
    } while (event.type != LINK_EVENT_NONE);
    require(next_ns > now_ns);
    return next_ns;
}

/* A message of the peer's session with a payload out of the input, as long as its type wants. */
static void send_whole(uint8_t type, uint16_t seq, const uint8_t *data, uint32_t bytes)
{
    static const uint8_t LENGTHS[LINK_TYPE_MAX + 1] = {
        [LINK_HELLO] = 32,       [LINK_HELLO_REPLY] = 32, [LINK_HEARTBEAT] = 48,
        [LINK_TIME_REQUEST] = 4, [LINK_TIME_REPLY] = 20,  [LINK_SENSORS] = 104,
        [LINK_ACTUATORS] = 40,   [LINK_ACTUATED] = 40,    [LINK_GRANT] = 24,
        [LINK_DONE] = 16,        [LINK_CREDIT] = 32,      [LINK_REG_READ] = 8,
        [LINK_REG_WRITE] = 12,   [LINK_REG_VALUES] = 12,  [LINK_NODE_RESET] = 4,
        [LINK_REFUSE] = 4,
    };
    uint8_t payload[256] = {0};
    uint8_t wire[LINK_WIRE_BYTES_MAX];
    uint32_t length = LENGTHS[type] != 0 ? LENGTHS[type] : bytes;
    struct link_header header = {
        .type = type,
        .seq = seq,
        .payload_bytes = (uint16_t)length,
        .session = PEER,
        .t_ns = now_ns,
    };

    memcpy(payload, data, bytes < sizeof payload ? bytes : sizeof payload);
    if (type == LINK_HELLO || type == LINK_HELLO_REPLY) {
        struct link_hello hello;

        link_get_hello(payload, &hello);
        hello.abi_version = HAL_ABI_VERSION;
        hello.schema_crc32c = link_schema_crc32c();
        hello.role = LINK_ROLE_BENCH;
        hello.mode = session.config.mode;
        hello.peer_session = session.own_session;
        (void)link_put_hello(&hello, payload);
    }
    if (type == LINK_REG_VALUES) {
        payload[6] = payload[7] = 0;
    }
    int32_t written = link_encode(&header, payload, wire);

    if (written > 0) {
        feed(wire, (uint32_t)written);
    }
}

static void open_session(uint8_t mode)
{
    struct link_session_config config = {
        .role = LINK_ROLE_NODE,
        .mode = mode,
        .payload_bytes = 100,
        .period_us = 1000,
        .tx = &tx,
        .rx = &rx,
    };

    now_ns = 1000;
    link_ring_init(&tx, (uint8_t *)tx_memory, FRAMES, FRAME_BYTES);
    link_ring_init(&rx, (uint8_t *)rx_memory, FRAMES, FRAME_BYTES);
    link_session_init(&session, &config, now_ns);
}

/* Each turn takes an octet that says what happens, an octet that says how much, and that much. */
static void take_turns(const uint8_t *data, size_t size)
{
    for (size_t at = 0; at + 3 <= size;) {
        uint8_t what = data[at];
        uint32_t bytes = data[at + 1];
        uint8_t seq = data[at + 2];

        at += 3;
        bytes = bytes < size - at ? bytes : (uint32_t)(size - at);
        if (what < 64) {
            feed(data + at, bytes);
        } else if (what < 200) {
            send_whole((uint8_t)(1 + what % LINK_TYPE_MAX), seq, data + at, bytes);
        } else if (what < 220) {
            now_ns += (uint64_t)bytes << (seq % 32);
            (void)step();
        } else if (what < 230) {
            struct link_actuators wanted = {.payload_level = seq};

            link_session_set_actuators(&session, &wanted, now_ns);
            (void)link_session_tick_done(&session, session.grant.tick);
        } else if (what < 240 && bytes > 0 && link_frames_room(&session.out) > 0) {
            require(link_ring_push(&tx, data + at, bytes));
        } else if (what < 250) {
            uint8_t frame[FRAME_BYTES];

            require(link_ring_pop(&rx, frame, sizeof frame) >= 0);
        } else {
            link_session_line_lost(&session, now_ns);
        }
        drain();
        at += bytes;
    }
}

/* After all that, a peer that behaves gets through. */
static void check_that_it_still_lives(void)
{
    const uint8_t nothing[LINK_HELLO_BYTES] = {0};

    link_session_line_lost(&session, now_ns);
    (void)step();
    drain();
    feed((const uint8_t[2]){0}, 2);
    send_whole(LINK_HELLO_REPLY, 0, nothing, sizeof nothing);
    require(session.state == LINK_STATE_UP && session.peer_session == PEER);
    uint64_t before = session.counters.rx_messages;

    send_whole(LINK_HEARTBEAT, 0, nothing, 0);
    require(session.counters.rx_messages == before + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    open_session(size > 0 && (data[0] & 1) != 0 ? LINK_MODE_LOCK_STEP : LINK_MODE_FREE_RUN);
    take_turns(data, size);
    check_that_it_still_lives();
    return 0;
}
