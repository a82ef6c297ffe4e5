/* A far terminal's registers over a session: one reading at a time, writes repeated until they are
 * answered. The far end is the pair's bench, which answers when it is told to. */
#include "link_registers.h"

#include "hal.h"
#include "link_pair.h"

static struct pair pair;
static struct link_registers registers;

static void begin(void)
{
    memset(&registers, 0, sizeof registers);
    pair_open(&pair, LINK_MODE_FREE_RUN);
    pair_settle(&pair);
    CHECK(pair_is_up(&pair));
}

static uint64_t step(void)
{
    uint64_t next_ns = link_registers_step(&registers, &pair.node.session, pair.now_ns);

    pair_settle(&pair);
    return next_ns;
}

static uint32_t asked(uint8_t type)
{
    return pair.bench.seen.messages[type];
}

static struct link_reg_read last_read(void)
{
    struct link_reg_read read;

    link_get_reg_read(pair.bench.seen.last[LINK_REG_READ], &read);
    return read;
}

static struct link_reg_write last_write(void)
{
    struct link_reg_write write;

    link_get_reg_write(pair.bench.seen.last[LINK_REG_WRITE], &write);
    return write;
}

/* Values `first`, `first + 1`, ... behind a head, as the far end would send them. */
static void answer(struct link_reg_values head, uint32_t value)
{
    uint8_t payload[LINK_REG_VALUES_BYTES + 4 * UINT8_MAX];
    uint32_t bytes = link_put_reg_values(&head, payload);
    struct link_message message = {.header = {.type = LINK_REG_VALUES}, .payload = payload};

    for (uint32_t i = 0; i < head.count; i++) {
        bytes += link_put_word(&(struct link_word){value + i}, payload + bytes);
    }
    message.header.payload_bytes = (uint16_t)bytes;
    link_registers_take(&registers, &message, pair.now_ns);
}

static void a_reading_asks_for_all_and_fills_them_all(void)
{
    begin();
    link_registers_read(&registers, &pair.node.session);
    pair_settle(&pair);
    CHECK(asked(LINK_REG_READ) == 1 && last_read().first == 0);
    CHECK(last_read().count == TERM_REG_COUNT && registers.known == 0);
    answer((struct link_reg_values){.id = last_read().id, .count = TERM_REG_COUNT}, 100);
    CHECK(registers.known == 1 && registers.code == HAL_OK && registers.read_ns == pair.now_ns);
    CHECK(registers.values[0] == 100 &&
          registers.values[TERM_REG_COUNT - 1] == 99 + TERM_REG_COUNT);
    link_registers_restart(&registers);
    CHECK(registers.known == 0);
}

static void a_reading_that_was_replaced_or_never_asked_for_counts_for_nothing(void)
{
    begin();
    link_registers_read(&registers, &pair.node.session);
    uint32_t first = registers.read_id;

    link_registers_read(&registers, &pair.node.session);
    CHECK(registers.read_id != first);
    answer((struct link_reg_values){.id = first, .count = TERM_REG_COUNT}, 1);
    answer((struct link_reg_values){.id = 0, .count = TERM_REG_COUNT}, 1);
    CHECK(registers.known == 0 && registers.values[1] == 0 && registers.read_id != 0);
    answer((struct link_reg_values){.id = registers.read_id, .count = 3}, 50);
    CHECK(registers.known == 0 && registers.values[2] == 52); /* not all of them */
}

static void a_reading_refused_keeps_its_code_and_the_values_before(void)
{
    begin();
    link_registers_read(&registers, &pair.node.session);
    answer((struct link_reg_values){.id = registers.read_id, .count = TERM_REG_COUNT}, 10);
    link_registers_read(&registers, &pair.node.session);
    answer((struct link_reg_values){.id = registers.read_id, .code = HAL_E_UNSUPPORTED}, 0);
    CHECK(registers.code == HAL_E_UNSUPPORTED && registers.values[5] == 15);
}

/* What comes over a line is no promise: a code that nobody knows would have no name in Python. */
static void a_code_that_nobody_knows_is_an_error_of_the_device(void)
{
    static const int32_t CODES[] = {HAL_E_INHIBITED - 1, -4711, INT32_MIN};

    begin();
    for (size_t i = 0; i < COUNT_OF(CODES); i++) {
        link_registers_read(&registers, &pair.node.session);
        answer((struct link_reg_values){.id = registers.read_id, .code = CODES[i]}, 0);
        CHECK(registers.code == HAL_E_IO);
    }
    link_registers_read(&registers, &pair.node.session);
    answer((struct link_reg_values){.id = registers.read_id, .code = HAL_E_INHIBITED}, 0);
    CHECK(registers.code == HAL_E_INHIBITED);
}

static void values_beyond_the_map_are_left_out(void)
{
    begin();
    link_registers_read(&registers, &pair.node.session);
    answer(
        (struct link_reg_values){.id = registers.read_id, .first = TERM_REG_COUNT - 1, .count = 20},
        7);
    CHECK(registers.values[TERM_REG_COUNT - 1] == 7 && registers.known == 0);
}

static void writes_go_in_their_order_until_they_are_answered(void)
{
    begin();
    CHECK(link_registers_write(&registers, TERM_REG_SCAN_URAD, 5, pair.now_ns));
    CHECK(link_registers_write(&registers, TERM_REG_INHIBIT, 1, pair.now_ns));
    CHECK(step() == pair.now_ns + LINK_ACTUATORS_RETRY_NS);
    CHECK(asked(LINK_REG_WRITE) == 2 && last_write().reg == TERM_REG_INHIBIT);
    uint32_t second = last_write().id;

    CHECK(step() == pair.now_ns + LINK_ACTUATORS_RETRY_NS && asked(LINK_REG_WRITE) == 2);
    answer((struct link_reg_values){.id = second, .first = TERM_REG_INHIBIT, .count = 1}, 1);
    CHECK(registers.values[TERM_REG_INHIBIT] == 1);
    pair_run(&pair, LINK_ACTUATORS_RETRY_NS);
    (void)step();
    CHECK(asked(LINK_REG_WRITE) == 3 && last_write().reg == TERM_REG_SCAN_URAD);
    CHECK(last_write().value == 5 && last_write().id + 1 == second); /* the same once more */
    answer((struct link_reg_values){.id = second - 1, .code = HAL_E_RANGE}, 0);
    CHECK(registers.refused == 1 && step() == UINT64_MAX && registers.failed == 0);
}

/* What is sent again must not undo what was asked for after it. */
static void a_newer_write_makes_the_older_ones_that_it_undoes_void(void)
{
    static const uint32_t PAIRS[][2] = {
        /* older, newer */
        {TERM_REG_SCAN_URAD, TERM_REG_SCAN_URAD},
        {TERM_REG_INHIBIT, TERM_REG_INHIBIT},
        {TERM_REG_SCAN_URAD, TERM_REG_RESET},
        {TERM_REG_RESET, TERM_REG_INHIBIT}, /* dark stays dark */
    };

    for (size_t i = 0; i < COUNT_OF(PAIRS); i++) {
        begin();
        CHECK(link_registers_write(&registers, PAIRS[i][0], 0, pair.now_ns));
        (void)step(); /* and it is lost */
        CHECK(link_registers_write(&registers, PAIRS[i][1], 1, pair.now_ns));
        (void)step();
        CHECK(asked(LINK_REG_WRITE) == 2 && last_write().reg == PAIRS[i][1]);
        CHECK(registers.failed == 1);
        answer((struct link_reg_values){.id = last_write().id, .code = HAL_OK}, 0);
        pair_run(&pair, LINK_ACTUATORS_RETRY_NS);
        CHECK(step() == UINT64_MAX && asked(LINK_REG_WRITE) == 2);
    }
}

static void what_is_asked_for_after_a_reset_waits_for_its_answer(void)
{
    begin();
    CHECK(link_registers_write(&registers, TERM_REG_RESET, TERM_RESET_KEY, pair.now_ns));
    CHECK(link_registers_write(&registers, TERM_REG_SCAN_URAD, 5, pair.now_ns));
    (void)step(); /* and it is lost */
    CHECK(asked(LINK_REG_WRITE) == 1 && last_write().reg == TERM_REG_RESET);
    pair_run(&pair, LINK_ACTUATORS_RETRY_NS);
    (void)step();
    CHECK(asked(LINK_REG_WRITE) == 2 && last_write().reg == TERM_REG_RESET);
    answer((struct link_reg_values){.id = last_write().id, .code = HAL_OK}, 0);
    (void)step();
    CHECK(asked(LINK_REG_WRITE) == 3 && last_write().value == 5 && registers.failed == 0);
}

/* It may be what a guard asks for: there is no giving up. */
static void an_inhibit_is_repeated_for_as_long_as_it_takes(void)
{
    begin();
    CHECK(link_registers_write(&registers, TERM_REG_INHIBIT, 1, pair.now_ns));
    for (uint32_t i = 0; i < LINK_REGISTER_TRIES_MAX + 5; i++) {
        (void)step();
        pair.now_ns += LINK_ACTUATORS_RETRY_NS;
    }
    CHECK(asked(LINK_REG_WRITE) == LINK_REGISTER_TRIES_MAX + 5 && registers.failed == 0);
}

static void a_write_never_answered_is_given_up_and_counted(void)
{
    begin();
    CHECK(link_registers_write(&registers, TERM_REG_SCAN_URAD, 5, pair.now_ns));
    for (uint32_t i = 0; i < LINK_REGISTER_TRIES_MAX; i++) {
        CHECK(registers.failed == 0);
        (void)step();
        pair.now_ns += LINK_ACTUATORS_RETRY_NS;
    }
    CHECK(asked(LINK_REG_WRITE) == LINK_REGISTER_TRIES_MAX);
    CHECK(step() == UINT64_MAX && registers.failed == 1);
    CHECK(asked(LINK_REG_WRITE) == LINK_REGISTER_TRIES_MAX);
}

static void as_many_writes_as_there_is_room_for_and_no_more(void)
{
    begin();
    for (uint32_t i = 0; i < LINK_REGISTER_WRITES; i++) {
        CHECK(link_registers_write(&registers, TERM_REG_FLAGS + i, i, pair.now_ns));
    }
    CHECK(!link_registers_write(&registers, TERM_REG_COUNT - 1, 9, pair.now_ns));
    (void)step();
    CHECK(asked(LINK_REG_WRITE) == LINK_REGISTER_WRITES);
    link_registers_restart(&registers); /* the session ended */
    CHECK(registers.failed == LINK_REGISTER_WRITES && step() == UINT64_MAX);
    CHECK(link_registers_write(&registers, TERM_REG_SCAN_URAD, 9, pair.now_ns));
}

static void identifiers_leave_zero_out_when_they_wrap(void)
{
    begin();
    registers.last_id = UINT32_MAX;
    link_registers_read(&registers, &pair.node.session);
    CHECK(registers.read_id == 1);
}

static void without_a_peer_nothing_is_under_way(void)
{
    begin();
    link_session_line_lost(&pair.node.session, pair.now_ns);
    link_registers_read(&registers, &pair.node.session);
    CHECK(registers.read_id == 0);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(a_reading_asks_for_all_and_fills_them_all),
        PROMISE(a_reading_that_was_replaced_or_never_asked_for_counts_for_nothing),
        PROMISE(a_reading_refused_keeps_its_code_and_the_values_before),
        PROMISE(a_code_that_nobody_knows_is_an_error_of_the_device),
        PROMISE(values_beyond_the_map_are_left_out),
        PROMISE(writes_go_in_their_order_until_they_are_answered),
        PROMISE(a_newer_write_makes_the_older_ones_that_it_undoes_void),
        PROMISE(what_is_asked_for_after_a_reset_waits_for_its_answer),
        PROMISE(an_inhibit_is_repeated_for_as_long_as_it_takes),
        PROMISE(a_write_never_answered_is_given_up_and_counted),
        PROMISE(as_many_writes_as_there_is_room_for_and_no_more),
        PROMISE(identifiers_leave_zero_out_when_they_wrap),
        PROMISE(without_a_peer_nothing_is_under_way),
    };

    KEEP(PROMISES);
    return 0;
}
