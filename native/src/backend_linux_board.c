/* Everything a board can tell, row by row; see hal_board.h. */
#include "backend_linux_state.h"

#include <string.h>

struct writer {
    const struct linux_view *view;
    const struct linux_sampler *sampler;
    struct hal_board *board;
};

static void write_zone(const struct writer *writer, const struct linux_source *source,
                       const struct linux_value *value)
{
    struct hal_zone *zone = &writer->board->zones[writer->board->zone_count++];

    memcpy(zone->name, source->name, sizeof zone->name);
    zone->mdegc = value->state == HAL_VALUE_OFF ? 0 : value->v[0];
    zone->state = value->state;
    zone->t_ns = value->t_ns;
}

static void write_rail(const struct writer *writer, const struct linux_source *source,
                       const struct linux_value *value)
{
    struct hal_rail *rail = &writer->board->rails[writer->board->rail_count++];

    memcpy(rail->name, source->name, sizeof rail->name);
    rail->mv = value->v[0];
    rail->ma = value->v[1];
    rail->mw = value->v[2];
    rail->state = value->state;
    rail->t_ns = value->t_ns;
}

static void write_clock(struct hal_clock *clock, const struct linux_source *source,
                        const struct linux_value *value)
{
    *clock = (struct hal_clock){
        .now_khz = value->state == HAL_VALUE_OFF ? 0 : (uint32_t)value->v[0],
        .min_khz = (uint32_t)value->v[1],
        .max_khz = (uint32_t)value->v[2],
        .lowest_khz = source->lowest_khz,
        .highest_khz = source->highest_khz,
        .state = value->state,
    };
}

static void write_throttle(const struct writer *writer, const struct linux_source *source,
                           const struct linux_value *value)
{
    struct hal_board *board = writer->board;

    if (source->kind == LINUX_OVERCURRENT) {
        for (int i = 0; i < HAL_OC_EVENTS; i++) {
            board->oc_events[i] = (uint32_t)value->v[i];
        }
    } else if (linux_state_usable(value->state)) {
        board->throttle_live |= (uint32_t)value->v[0];
    }
    if (board->throttle_state != HAL_VALUE_MEASURED) {
        board->throttle_state = value->state;
    }
}

static void write_mode(const struct writer *writer, const struct linux_value *value)
{
    const struct linux_modes *modes = &writer->sampler->modes;

    if (linux_state_usable(value->state) && (uint32_t)value->v[0] < modes->count) {
        memcpy(writer->board->power_mode, modes->mode[value->v[0]].name,
               sizeof writer->board->power_mode);
    }
}

static void write_source(const struct writer *writer, const struct linux_source *source,
                         const struct linux_value *value)
{
    struct hal_board *board = writer->board;

    switch (source->kind) {
    case LINUX_ZONE: write_zone(writer, source, value); break;
    case LINUX_RAIL: write_rail(writer, source, value); break;
    case LINUX_CPU: write_clock(&board->policies[board->policy_count++], source, value); break;
    case LINUX_GPU: write_clock(&board->gpu, source, value); break;
    case LINUX_THROTTLE:
    case LINUX_OVERCURRENT: write_throttle(writer, source, value); break;
    case LINUX_FAN:
        board->fan_rpm = (uint32_t)value->v[0];
        board->fan_permille = (uint32_t)value->v[1];
        board->fan_state = value->state;
        break;
    case LINUX_PRESSURE:
        board->psi_cpu_permille = (uint32_t)value->v[0];
        board->psi_memory_permille = (uint32_t)value->v[1];
        board->psi_io_permille = (uint32_t)value->v[2];
        board->psi_state = value->state;
        break;
    case LINUX_MODE: write_mode(writer, value); break;
    default: break; /* inputs show in the frame, by their roles */
    }
}

int32_t linux_read_board(struct hal *dev, struct hal_board *board)
{
    const struct linux_dev *linux_dev = dev->data;
    struct linux_sampler *sampler = linux_dev->sampler;
    struct linux_sampler_counters *counters = &sampler->counters;

    if (sampler->config.period_ms == 0) {
        linux_sampler_poll(sampler);
    }
    struct linux_view view = linux_sampler_view(sampler);
    struct writer writer = {.view = &view, .sampler = sampler, .board = board};
    uint32_t count = atomic_load_explicit(&sampler->inventory.count, memory_order_acquire);

    board->t_ns = view.now_ns;
    memcpy(board->model, sampler->model, sizeof board->model);
    for (uint32_t i = 0; i < count; i++) {
        struct linux_value value = linux_view_value(&view, (int32_t)i);

        write_source(&writer, &sampler->inventory.source[i], &value);
    }
    board->throttle_latched = atomic_load(&sampler->latched);
    board->energy_uj = atomic_load(&counters->energy_uj);
    board->energy_gaps = atomic_load(&counters->energy_gaps);
    board->samples = atomic_load(&counters->samples);
    board->samples_late = atomic_load(&counters->samples_late);
    board->reads_failed = atomic_load(&counters->reads_failed);
    board->journal_entries = atomic_load(&counters->journal_entries);
    board->journal_failed = atomic_load(&counters->journal_failed);
    return HAL_OK;
}
