/* Who reads what next: a pure question. */
#include "check.h"
#include "linux_schedule.h"

#include <string.h>

static struct linux_inventory inventory;
static struct linux_schedule schedule;

static void begin(void)
{
    memset(&inventory, 0, sizeof inventory);
    linux_schedule_init(&schedule, 100, 1000000);
    /* The chores are not what most of these promises are about. */
    schedule.slot[LINUX_CHORE_RESCAN].busy = 1;
    schedule.slot[LINUX_CHORE_ENERGY].busy = 1;
}

static void add(uint32_t kind, uint32_t group, uint32_t periods)
{
    struct linux_source source = linux_source_make(kind, "s");

    source.group = group;
    source.periods = periods;
    linux_inventory_add(&inventory, &source);
}

static int32_t take(uint64_t now_ns)
{
    uint64_t wake_ns = 0;

    return linux_schedule_take(&schedule, &inventory, now_ns, &wake_ns);
}

static uint64_t wake_at(uint64_t now_ns)
{
    uint64_t wake_ns = 0;

    CHECK(linux_schedule_take(&schedule, &inventory, now_ns, &wake_ns) == -1);
    return wake_ns;
}

static void everything_is_due_at_once_and_then_once_a_period(void)
{
    begin();
    add(LINUX_ZONE, LINUX_GROUP_NONE, 1);
    add(LINUX_FAN, LINUX_GROUP_NONE, 3);
    CHECK(take(5) == 0 && take(5) == 1);
    CHECK(wake_at(5) == UINT64_MAX); /* both are being read */
    CHECK(linux_schedule_done(&schedule, &inventory, 0, 7) == 0);
    CHECK(linux_schedule_done(&schedule, &inventory, 1, 8) == 0);
    CHECK(wake_at(9) == 107);
    CHECK(take(107) == 0);
    CHECK(linux_schedule_done(&schedule, &inventory, 0, 110) == 0);
    CHECK(wake_at(110) == 207); /* the beat does not drift */
    CHECK(take(308) == 0);
    CHECK(linux_schedule_done(&schedule, &inventory, 0, 309) == 1);
    CHECK(take(309) == 1);
}

static void turns_that_were_missed_are_counted(void)
{
    begin();
    add(LINUX_ZONE, LINUX_GROUP_NONE, 1);
    CHECK(take(50) == 0);
    CHECK(linux_schedule_done(&schedule, &inventory, 0, 950) == 0); /* the first sets the beat */
    CHECK(take(1050) == 0);
    CHECK(linux_schedule_done(&schedule, &inventory, 0, 1520) == 4);
    CHECK(wake_at(1520) == 1550);
}

static void the_one_that_is_due_longest_comes_first(void)
{
    begin();
    add(LINUX_ZONE, LINUX_GROUP_NONE, 1);
    add(LINUX_FAN, LINUX_GROUP_NONE, 1);
    schedule.slot[0].due_ns = 20;
    schedule.slot[1].due_ns = 10;
    CHECK(wake_at(9) == 10);
    CHECK(take(30) == 1 && take(30) == 0);
}

static void a_bus_is_read_by_one_at_a_time(void)
{
    begin();
    add(LINUX_RAIL, LINUX_GROUP_I2C + 1, 1);
    add(LINUX_ZONE, LINUX_GROUP_I2C + 1, 1);
    add(LINUX_RAIL, LINUX_GROUP_I2C + 2, 1);
    CHECK(take(1) == 0 && take(1) == 2 && take(1) == -1);
    CHECK(linux_schedule_done(&schedule, &inventory, 0, 2) == 0);
    CHECK(take(2) == 1);
}

static void of_a_kind_two_are_read_at_a_time_so_that_others_get_their_turn(void)
{
    begin();
    for (int i = 0; i < 4; i++) {
        add(LINUX_ZONE, LINUX_GROUP_NONE, 1);
    }
    add(LINUX_FAN, LINUX_GROUP_NONE, 1);
    CHECK(take(1) == 0 && take(1) == 1);
    CHECK(take(1) == 4); /* two zones hang: the fan is read all the same */
    CHECK(take(1) == -1);
    CHECK(linux_schedule_done(&schedule, &inventory, 1, 2) == 0);
    CHECK(take(2) == 2);
}

static void chores_come_round_like_sources(void)
{
    memset(&inventory, 0, sizeof inventory);
    linux_schedule_init(&schedule, 100, 1000);
    CHECK(take(1) == LINUX_CHORE_RESCAN && take(1) == LINUX_CHORE_ENERGY);
    CHECK(linux_schedule_done(&schedule, &inventory, LINUX_CHORE_RESCAN, 1) == 0);
    CHECK(linux_schedule_done(&schedule, &inventory, LINUX_CHORE_ENERGY, 1) == 0);
    CHECK(take(101) == LINUX_CHORE_ENERGY);
    CHECK(linux_schedule_done(&schedule, &inventory, LINUX_CHORE_ENERGY, 101) == 0);
    CHECK(take(1001) == LINUX_CHORE_ENERGY && take(1001) == LINUX_CHORE_RESCAN);
}

static void what_a_level_changed_is_looked_at_now(void)
{
    begin();
    add(LINUX_CPU, LINUX_GROUP_NONE, 1);
    add(LINUX_ZONE, LINUX_GROUP_NONE, 1);
    CHECK(take(1) == 0 && take(1) == 1);
    CHECK(linux_schedule_done(&schedule, &inventory, 0, 1) == 0);
    CHECK(linux_schedule_done(&schedule, &inventory, 1, 1) == 0);
    linux_schedule_hurry(&schedule, &inventory, LINUX_CPU, 50);
    linux_schedule_hurry(&schedule, &inventory, LINUX_CPU, 60); /* it is due already */
    CHECK(take(50) == 0 && take(50) == -1);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(everything_is_due_at_once_and_then_once_a_period),
        PROMISE(turns_that_were_missed_are_counted),
        PROMISE(the_one_that_is_due_longest_comes_first),
        PROMISE(a_bus_is_read_by_one_at_a_time),
        PROMISE(of_a_kind_two_are_read_at_a_time_so_that_others_get_their_turn),
        PROMISE(chores_come_round_like_sources),
        PROMISE(what_a_level_changed_is_looked_at_now),
    };

    KEEP(PROMISES);
    return 0;
}
