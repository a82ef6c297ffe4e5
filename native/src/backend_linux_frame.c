/* A snapshot: what was read last, by role; see backend_linux.h. */
#include "backend_linux_state.h"
#include "shared_word.h"
#include "tick.h"

/* A machine without a battery-backed clock starts in 1970; what is earlier than 2024 is no label. */
#define UTC_NS_LEAST INT64_C(1704067200000000000)

/* A role that is one number of the frame. */
struct place {
    int role;
    uint32_t bit;
    size_t offset;
};

static const struct place PLACES[] = {
    {HAL_LINUX_ARRAY, HAL_SENSOR_ARRAY, offsetof(struct hal_frame, array_mw)},
    {HAL_LINUX_BUS, HAL_SENSOR_BUS, offsetof(struct hal_frame, bus_mw)},
    {HAL_LINUX_BATTERY_TEMP, HAL_SENSOR_BATTERY_TEMP, offsetof(struct hal_frame, battery_mdegc)},
    {HAL_LINUX_LASER, HAL_SENSOR_LASER, offsetof(struct hal_frame, laser_mw)},
    {HAL_LINUX_DIE_TEMP, HAL_SENSOR_DIE_TEMP, offsetof(struct hal_frame, die_mdegc)},
    {HAL_LINUX_SINK_TEMP, HAL_SENSOR_SINK_TEMP, offsetof(struct hal_frame, sink_mdegc)},
    {HAL_LINUX_RADIATOR_TEMP, HAL_SENSOR_RADIATOR_TEMP, offsetof(struct hal_frame, radiator_mdegc)},
    {HAL_LINUX_TERM_TEMP, HAL_SENSOR_TERM_TEMP, offsetof(struct hal_frame, term_mdegc)},
    {HAL_LINUX_SUN, HAL_SENSOR_SUN, offsetof(struct hal_frame, sun_permille)},
};

static void fill(struct hal_frame *frame, uint32_t bits, uint32_t state)
{
    if (linux_state_usable(state)) {
        frame->valid |= bits;
        frame->estimated |= state == HAL_VALUE_ESTIMATED ? bits : 0;
    }
}

static void fill_places(const struct linux_dev *linux_dev, const struct linux_view *view,
                        struct hal_frame *frame)
{
    for (size_t i = 0; i < sizeof PLACES / sizeof PLACES[0]; i++) {
        int32_t player = linux_dev->roles.player[PLACES[i].role];
        struct linux_value value = linux_view_value(view, player);

        if (linux_state_usable(value.state)) {
            *(int32_t *)(void *)((uint8_t *)frame + PLACES[i].offset) =
                linux_view_quantity(view, player, &value);
            fill(frame, PLACES[i].bit, value.state);
        }
    }
}

static void fill_battery(const struct linux_dev *linux_dev, const struct linux_view *view,
                         struct hal_frame *frame)
{
    struct linux_value value = linux_view_value(view, linux_dev->roles.player[HAL_LINUX_BATTERY]);

    if (linux_state_usable(value.state)) {
        frame->battery_mv = value.v[0];
        frame->battery_ma = value.v[1];
        fill(frame, HAL_SENSOR_BATTERY_V | HAL_SENSOR_BATTERY_I, value.state);
    }
}

static void fill_throttle(const struct linux_view *view, uint32_t latched, struct hal_frame *frame)
{
    uint32_t count = atomic_load_explicit(&view->inventory->count, memory_order_acquire);

    for (uint32_t i = 0; i < count; i++) {
        uint32_t kind = view->inventory->source[i].kind;
        struct linux_value value;

        if (kind != LINUX_THROTTLE && kind != LINUX_OVERCURRENT) {
            continue;
        }
        value = linux_view_value(view, (int32_t)i);
        if (linux_state_usable(value.state)) {
            frame->valid |= HAL_SENSOR_THROTTLE;
            frame->throttle_live |= kind == LINUX_THROTTLE ? (uint32_t)value.v[0] : 0;
        }
    }
    frame->throttle_latched = latched;
}

int32_t linux_level_now(struct linux_dev *linux_dev, const struct linux_view *view)
{
    int32_t on = linux_line_get(linux_dev, HAL_LINUX_PAYLOAD_ENABLE);

    if (on == 0) {
        return 0;
    }
    if (on < 0 && on != HAL_E_UNSUPPORTED) {
        return HAL_E_STALE;
    }
    linux_caps_update(&linux_dev->caps, &linux_dev->sampler->reader, view->inventory);
    return linux_caps_granted(&linux_dev->caps, view, shared_word_load(&linux_dev->wanted));
}

static void fill_actuators(struct linux_dev *linux_dev, const struct linux_view *view,
                           struct hal_frame *frame)
{
    int32_t level = linux_level_now(linux_dev, view);
    int32_t heater = linux_line_get(linux_dev, HAL_LINUX_HEATER);

    if (level >= 0) {
        frame->payload_level = (uint32_t)level;
        frame->valid |= HAL_SENSOR_PAYLOAD_LEVEL;
    }
    if (heater >= 0) {
        frame->heater_on = (uint32_t)heater;
        frame->valid |= HAL_SENSOR_HEATER_ON;
    }
}

int32_t linux_snapshot(struct hal *dev, struct hal_frame *frame)
{
    struct linux_dev *linux_dev = dev->data;
    struct linux_sampler *sampler = linux_dev->sampler;

    if (sampler->config.period_ms == 0) {
        linux_sampler_poll(sampler);
    }
    struct linux_view view = linux_sampler_view(sampler);

    linux_roles_update(&linux_dev->roles, &view);
    frame->t_ns = view.now_ns;
    frame->utc_ns = tick_utc_ns();
    frame->valid = HAL_SENSOR_RESET_CAUSE | (frame->utc_ns >= UTC_NS_LEAST ? HAL_SENSOR_UTC : 0);
    frame->reset_cause = linux_dev->reset_cause;
    frame->payload_busy_permille = atomic_load(&sampler->busy_permille);
    fill_places(linux_dev, &view, frame);
    fill_battery(linux_dev, &view, frame);
    fill_throttle(&view, atomic_load(&sampler->latched), frame);
    fill_actuators(linux_dev, &view, frame);
    uint32_t level =
        (frame->valid & HAL_SENSOR_PAYLOAD_LEVEL) != 0 ? frame->payload_level : LINUX_LEVEL_NONE;

    fill(frame, HAL_SENSOR_PAYLOAD,
         linux_roles_payload(&linux_dev->roles, &view, level, frame->payload_busy_permille,
                             &frame->payload_mw));
    return HAL_OK;
}
