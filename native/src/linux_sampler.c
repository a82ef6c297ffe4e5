/* Reads a board's sensors and carries levels out: the steps; see linux_sampler.h. */
#define _GNU_SOURCE
#include "linux_sampler.h"

#include "linux_probe.h"

#include <string.h>
#include <sys/mman.h>

#define RESCAN_NS UINT64_C(2000000000) /* a device that was plugged in is there in 5 s */
#define NS_PER_MS UINT64_C(1000000)

static uint64_t now_ns(const struct linux_sampler *sampler)
{
    return sampler->sys.now_ns(sampler->sys.context);
}

struct linux_view linux_sampler_view(const struct linux_sampler *sampler)
{
    return (struct linux_view){
        .config = &sampler->config,
        .inventory = &sampler->inventory,
        .now_ns = now_ns(sampler),
        .period_ns = sampler->config.period_ms * NS_PER_MS,
        .stale_ns = sampler->config.stale_ms * NS_PER_MS,
    };
}

static void make_lock(struct linux_sampler *sampler)
{
    pthread_mutexattr_t mutex;
    pthread_condattr_t cond;

    /* A caller of high priority that waits here lends it to the thread it waits for. */
    (void)pthread_mutexattr_init(&mutex);
    (void)pthread_mutexattr_setprotocol(&mutex, PTHREAD_PRIO_INHERIT);
    (void)pthread_mutex_init(&sampler->mutex, &mutex);
    (void)pthread_mutexattr_destroy(&mutex);
    (void)pthread_condattr_init(&cond);
    (void)pthread_condattr_setclock(&cond, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&sampler->wake, &cond);
    (void)pthread_cond_init(&sampler->seen, &cond);
    (void)pthread_condattr_destroy(&cond);
}

static void look_around(struct linux_sampler *sampler)
{
    sampler->reader = (struct linux_reader){
        .sys = &sampler->sys,
        .config = &sampler->config,
        .modes = &sampler->modes,
        .latched = &sampler->latched,
        .inas = sampler->inas,
        .spi = &sampler->spi,
    };
    for (int i = 0; i < HAL_LINUX_INAS_MAX; i++) {
        sampler->inas[i].i2c = (struct linux_i2c){.sys = &sampler->sys, .fd = -1};
    }
    sampler->spi = (struct linux_spi){.sys = &sampler->sys, .fd = -1};
    (void)linux_modes_load(&sampler->sys, sampler->config.nvpmodel_conf, &sampler->modes);
    linux_probe_model(&sampler->reader, sampler->model);
    linux_probe(&sampler->reader, &sampler->inventory);
}

int32_t linux_sampler_make(struct linux_sampler **made, const struct hal_linux_config *config,
                           const uint32_t *wanted)
{
    /* Not through the table of system calls: this is memory, not the board. */
    void *memory = mmap(NULL, sizeof(struct linux_sampler), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct linux_sampler *sampler = memory;

    if (memory == MAP_FAILED) {
        return HAL_E_BUSY;
    }
    sampler->sys = config->calls != NULL ? *config->calls : *linux_syscalls_real();
    sampler->config = *config;
    sampler->wanted = wanted;
    atomic_store(&sampler->told, LINUX_LEVEL_NONE);
    make_lock(sampler);
    linux_journal_init(&sampler->journal, &sampler->sys, &sampler->config);
    sampler->levels = (struct linux_levels){
        .reader = &sampler->reader,
        .inventory = &sampler->inventory,
        .journal = &sampler->journal,
        /* Before the caps are looked at: they are to be found as they were. */
        .restored = linux_journal_restore(&sampler->sys, &sampler->config),
    };
    look_around(sampler);
    linux_schedule_init(&sampler->schedule, config->period_ms * NS_PER_MS, RESCAN_NS);
    *made = sampler;
    return HAL_OK;
}

static void read_source(struct linux_sampler *sampler, int32_t index)
{
    struct linux_value *held = &sampler->held[index];
    struct linux_value fresh = *held;
    int32_t code = linux_source_read(&sampler->reader, &sampler->inventory.source[index], &fresh);

    atomic_fetch_add(&sampler->counters.samples, 1);
    if (code == HAL_E_BUSY) {
        return;
    }
    if (code < 0) {
        atomic_fetch_add(&sampler->counters.reads_failed, 1);
    }
    (void)linux_value_take(held, &fresh, code, now_ns(sampler));
    linux_cell_write(&sampler->inventory.cell[index], held);
}

static void add_energy(struct linux_sampler *sampler)
{
    struct linux_view view = linux_sampler_view(sampler);
    int32_t mw = 0;

    linux_roles_update(&sampler->energy_roles, &view);
    uint32_t state = linux_roles_payload(&sampler->energy_roles, &view, atomic_load(&sampler->told),
                                         atomic_load(&sampler->busy_permille), &mw);

    linux_energy_step(&sampler->energy, (uint32_t)linux_state_usable(state), mw, view.now_ns,
                      view.stale_ns);
    atomic_store(&sampler->counters.energy_uj, sampler->energy.uj);
    atomic_store(&sampler->counters.energy_gaps, sampler->energy.gaps);
}

static int is_idle(const void *context, uint32_t index)
{
    const struct linux_sampler *sampler = context;

    return sampler->schedule.slot[index].busy == 0;
}

static void look_again(struct linux_sampler *sampler)
{
    memset(&sampler->found, 0, sizeof sampler->found);
    linux_probe(&sampler->reader, &sampler->found);
    (void)pthread_mutex_lock(&sampler->mutex);
    linux_inventory_merge(&sampler->reader, &sampler->inventory, &sampler->found, is_idle, sampler);
    (void)pthread_mutex_unlock(&sampler->mutex);
}

void linux_sampler_work(struct linux_sampler *sampler, int32_t slot)
{
    if (slot == LINUX_CHORE_RESCAN) {
        look_again(sampler);
    } else if (slot == LINUX_CHORE_ENERGY) {
        add_energy(sampler);
    } else {
        read_source(sampler, slot);
    }
}

void linux_sampler_poll(struct linux_sampler *sampler)
{
    look_again(sampler);
    for (uint32_t i = 0; i < atomic_load(&sampler->inventory.count); i++) {
        read_source(sampler, (int32_t)i);
    }
    add_energy(sampler);
}

static void tell_journal(struct linux_sampler *sampler)
{
    atomic_store(&sampler->counters.journal_entries, sampler->journal.entries);
    atomic_store(&sampler->counters.journal_failed, sampler->journal.failed);
}

int32_t linux_sampler_note(struct linux_sampler *sampler)
{
    int32_t code = linux_levels_note(&sampler->levels);

    tell_journal(sampler);
    return code;
}

void linux_sampler_carry_out(struct linux_sampler *sampler, uint32_t level)
{
    atomic_store(&sampler->outcome, HAL_OK);
    atomic_store(&sampler->told, level);
    linux_caps_update(&sampler->levels.caps, &sampler->reader, &sampler->inventory);
    int32_t code = linux_caps_check(&sampler->levels.caps, &sampler->config, level);

    if (code == HAL_OK && sampler->levels.caps.clocks > 0) {
        code = linux_levels_apply(&sampler->levels, level);
    }
    tell_journal(sampler);
    atomic_store(&sampler->outcome, code);
}

void linux_sampler_restore(struct linux_sampler *sampler)
{
    linux_journal_close(&sampler->journal);
    if (sampler->journal.entries > 0) {
        (void)linux_journal_restore(&sampler->sys, &sampler->config);
    }
}

void linux_sampler_free(struct linux_sampler *sampler)
{
    for (uint32_t i = 0; i < atomic_load(&sampler->inventory.count); i++) {
        linux_source_close(&sampler->reader, &sampler->inventory.source[i]);
    }
    linux_spi_close(&sampler->spi);
    (void)pthread_cond_destroy(&sampler->wake);
    (void)pthread_cond_destroy(&sampler->seen);
    (void)pthread_mutex_destroy(&sampler->mutex);
    (void)munmap(sampler, sizeof *sampler);
}
