/* The bench link on a pseudo-terminal, next to the bare descriptor: the C side of benchmarks/hal.py.
 *
 *   link_loops echo ROUNDS   ns of a round trip of 200 octets, two numbers a line: bare descriptor,
 *                            and as ECHO of the bench link through a "link" device; in turn
 *   link_loops flow OCTETS MIB ROUNDS   ns that so many MiB take one way in messages of so many
 *                            octets: encoded, through the pseudo-terminal, decoded; and the same
 *                            octets bare, in turn
 *   link_loops peer PATH     sends back bare whatever comes at that terminal, until a zero comes
 *   link_loops replug COUNT  ns from a line that comes back until sensors are valid again
 */
#include "line_ends.h"

#include <pthread.h>

enum { ECHO_OCTETS = 200, BLOCK = 50 };

/* The far end of the bare descriptor: whatever comes goes back. */
static void *echo_bare(void *argument)
{
    const struct terminal *terminal = argument;
    uint8_t octets[4096];

    REQUIRE(fcntl(terminal->slave, F_SETFL, O_NONBLOCK) == 0);
    for (;;) {
        wait_for(terminal->slave, POLLIN);
        ssize_t got = read(terminal->slave, octets, sizeof octets);

        if (got > 0 && octets[0] == 0) {
            return NULL;
        }
        if (got > 0) {
            write_all(terminal->slave, octets, (size_t)got);
        }
    }
}

static uint64_t round_bare(const struct terminal *terminal)
{
    uint8_t octets[ECHO_OCTETS];
    size_t back = 0;

    memset(octets, 0x55, sizeof octets);
    uint64_t start_ns = tick_monotonic_ns();

    write_all(terminal->master, octets, sizeof octets);
    while (back < sizeof octets) {
        wait_for(terminal->master, POLLIN);
        ssize_t got = read(terminal->master, octets, sizeof octets);

        back += got > 0 ? (size_t)got : 0;
    }
    return tick_monotonic_ns() - start_ns;
}

static uint64_t round_link(struct far *far)
{
    uint8_t octets[ECHO_OCTETS];
    uint64_t echoes = far->echoes;

    memset(octets, 0x55, sizeof octets);
    uint64_t start_ns = tick_monotonic_ns();

    REQUIRE(link_session_test(&far->session, LINK_ECHO, octets, sizeof octets) == HAL_OK);
    while (far->echoes == echoes) {
        turn_far(far, 1000);
    }
    return tick_monotonic_ns() - start_ns;
}

static int echo(long rounds)
{
    static struct terminal bare;
    static struct far far;
    static struct node node;
    static uint64_t took_ns[2][BLOCK];
    pthread_t echoer;

    open_terminal(&bare);
    open_terminal(&far.terminal);
    open_far(&far);
    REQUIRE(pthread_create(&echoer, NULL, echo_bare, &bare) == 0);
    open_node(&node, far.terminal.path);
    while (far.session.state != LINK_STATE_UP) {
        turn_far(&far, 100);
    }
    for (long round = 0; round < rounds; round += BLOCK) {
        for (int i = 0; i < BLOCK; i++) {
            took_ns[0][i] = round_bare(&bare);
        }
        for (int i = 0; i < BLOCK; i++) {
            took_ns[1][i] = round_link(&far);
        }
        for (int i = 0; i < BLOCK; i++) {
            printf("%llu %llu\n", (unsigned long long)took_ns[0][i],
                   (unsigned long long)took_ns[1][i]);
        }
    }
    write_all(bare.master, (const uint8_t *)"", 1);
    (void)pthread_join(echoer, NULL);
    close_node(&node);
    return 0;
}

struct flow {
    struct terminal terminal;
    uint32_t octets;   /* payload of a message */
    uint64_t messages; /* in all */
    int coded;         /* 0: the same octets bare */
};

static void *pour(void *argument)
{
    const struct flow *flow = argument;
    static uint8_t payload[LINK_PAYLOAD_BYTES_MAX];
    static uint8_t wire[16 * LINK_WIRE_BYTES_MAX];
    struct link_header header = {
        .type = LINK_ECHO, .session = 1, .payload_bytes = (uint16_t)flow->octets};
    uint32_t filled = 0;

    REQUIRE(fcntl(flow->terminal.slave, F_SETFL, O_NONBLOCK) == 0);
    for (uint32_t i = 0; i < sizeof payload; i++) {
        payload[i] = (uint8_t)(i * 167 + i / 7);
    }
    for (uint64_t n = 0; n < flow->messages; n++) {
        if (flow->coded) {
            header.seq = (uint16_t)n;
            filled += (uint32_t)link_encode(&header, payload, wire + filled);
        } else {
            memcpy(wire + filled, payload, flow->octets);
            filled += flow->octets;
        }
        if (filled + LINK_WIRE_BYTES_MAX > sizeof wire || n + 1 == flow->messages) {
            write_all(flow->terminal.slave, wire, filled);
            filled = 0;
        }
    }
    return NULL;
}

static uint64_t take_decoded(struct link_decoder *decoder, const uint8_t *octets, uint32_t bytes)
{
    struct link_message message;
    uint64_t payload_bytes = 0;

    for (uint32_t at = 0, taken = 0; at < bytes; at += taken) {
        if (link_decode(decoder, octets + at, bytes - at, &taken, &message)) {
            payload_bytes += message.header.payload_bytes;
        }
    }
    return payload_bytes;
}

static uint64_t measure_flow(struct flow *flow)
{
    static struct link_decoder decoder;
    static uint8_t octets[1 << 16];
    uint64_t wanted = flow->messages * flow->octets;
    uint64_t arrived = 0;
    pthread_t source;

    open_terminal(&flow->terminal);
    link_decoder_init(&decoder);
    uint64_t start_ns = tick_monotonic_ns();

    REQUIRE(pthread_create(&source, NULL, pour, flow) == 0);
    while (arrived < wanted) {
        wait_for(flow->terminal.master, POLLIN);
        ssize_t got = read(flow->terminal.master, octets, sizeof octets);

        if (got > 0) {
            arrived += flow->coded ? take_decoded(&decoder, octets, (uint32_t)got) : (uint64_t)got;
        }
    }
    uint64_t took_ns = tick_monotonic_ns() - start_ns;

    (void)pthread_join(source, NULL);
    (void)close(flow->terminal.master);
    (void)close(flow->terminal.slave);
    return took_ns;
}

static int flow(uint32_t octets, uint64_t mib, long rounds)
{
    if (octets < 1 || octets > LINK_PAYLOAD_BYTES_MAX) {
        return 2;
    }
    struct flow each = {.octets = octets, .messages = (mib << 20) / octets};

    for (long i = 0; i < 2 * rounds; i++) {
        each.coded = i % 2 == 0;
        printf("%llu\n", (unsigned long long)measure_flow(&each));
    }
    return 0;
}

static int is_sensing(struct node *node)
{
    struct hal_frame frame;

    return hal_snapshot(&node->dev, &frame) == HAL_OK && (frame.valid & HAL_SENSOR_BUS) != 0;
}

static void until_sensing(struct node *node, struct far *far, int wanted)
{
    struct link_sensors sensors = {.sensors.valid = HAL_SENSOR_ALL};

    while (is_sensing(node) != wanted) {
        if (wanted) {
            turn_far(far, 5);
            (void)link_session_show_sensors(&far->session, &sensors);
        } else {
            tick_sleep_until(tick_monotonic_ns() + 1000000);
        }
    }
}

static void plug(struct far *far, const char *name)
{
    open_terminal(&far->terminal);
    open_far(far);
    REQUIRE(symlink(far->terminal.path, name) == 0);
}

static void unplug(struct far *far, const char *name)
{
    REQUIRE(unlink(name) == 0);
    (void)close(far->terminal.master);
    (void)close(far->terminal.slave);
    free(far->memory);
}

static int replug(long count)
{
    static struct far far;
    static struct node node;
    char folder[] = "/tmp/lumenode-link-XXXXXX";
    char name[PATH_BYTES];

    REQUIRE(mkdtemp(folder) != NULL);
    (void)snprintf(name, sizeof name, "%s/line", folder);
    plug(&far, name);
    open_node(&node, name);
    until_sensing(&node, &far, 1);
    for (long i = 0; i < count; i++) {
        unplug(&far, name);
        until_sensing(&node, &far, 0);
        tick_sleep_until(tick_monotonic_ns() + 100000000);
        plug(&far, name);
        uint64_t start_ns = tick_monotonic_ns();

        until_sensing(&node, &far, 1);
        printf("%llu\n", (unsigned long long)(tick_monotonic_ns() - start_ns));
    }
    unplug(&far, name);
    close_node(&node);
    return rmdir(folder);
}

static int peer(const char *path)
{
    struct terminal terminal = {.slave = open(path, O_RDWR | O_NOCTTY)};

    REQUIRE(terminal.slave >= 0);
    printf("up\n");
    (void)fflush(stdout);
    (void)echo_bare(&terminal);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "peer") == 0) {
        return peer(argv[2]);
    }
    if (argc == 3 && strcmp(argv[1], "echo") == 0) {
        return echo(strtol(argv[2], NULL, 10));
    }
    if (argc == 5 && strcmp(argv[1], "flow") == 0) {
        return flow((uint32_t)strtoul(argv[2], NULL, 10), strtoull(argv[3], NULL, 10),
                    strtol(argv[4], NULL, 10));
    }
    if (argc == 3 && strcmp(argv[1], "replug") == 0) {
        return replug(strtol(argv[2], NULL, 10));
    }
    return 2;
}
