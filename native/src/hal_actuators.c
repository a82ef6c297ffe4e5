/* The checked front of hal.h, what moves something: setters, the terminal's registers, and the
 * guard that may forbid both. */
#include "guard.h"
#include "guard_plan.h"
#include "hal_backend.h"
#include "hal_front.h"
#include "terminal_registers.h"

/* State and range of a setter, in that order. */
static int32_t test_setter(struct hal *dev, uint32_t value, uint32_t last)
{
    int32_t state = hal_test_open(dev);

    if (state < 0) {
        return state;
    }
    if (value > last) {
        dev->counters.setters_rejected++;
        return HAL_E_RANGE;
    }
    return HAL_OK;
}

/* Counts what a setter answered; a read-back beyond the actuator's range is the device's error. */
static int32_t judge_setter(struct hal *dev, uint32_t asked, int32_t answer, uint32_t last)
{
    if (answer > 0 && (uint32_t)answer > last) {
        answer = HAL_E_IO;
    }
    if (answer < 0) {
        dev->counters.setters_failed++;
    } else if ((uint32_t)answer != asked) {
        dev->counters.readback_differs++;
    }
    return answer;
}

static int32_t inhibited(struct hal *dev)
{
    dev->counters.setters_inhibited++;
    return HAL_E_INHIBITED;
}

/* A setter that a tripped guard forbids to switch anything on. It looks twice: a trip in between
 * may have found the old value and put its own in before ours. */
static int32_t set_guarded(struct hal *dev, uint32_t value, uint32_t last,
                           int32_t (*set)(struct hal *, uint32_t))
{
    int32_t tested = test_setter(dev, value, last);

    if (tested < 0) {
        return tested;
    }
    if (value != 0 && guard_holds(dev->guard) != 0) {
        return inhibited(dev);
    }
    int32_t answer = set(dev, value);

    if (value != 0 && guard_holds(dev->guard) != 0) {
        (void)set(dev, 0);
        return inhibited(dev);
    }
    return judge_setter(dev, value, answer, last);
}

int32_t hal_set_payload_level(struct hal *dev, uint32_t level)
{
    int32_t state = hal_test_open(dev);

    return state < 0 ? state
                     : set_guarded(dev, level, dev->config->payload_level_max,
                                   dev->api->set_payload_level);
}

int32_t hal_set_heater(struct hal *dev, uint32_t on)
{
    int32_t tested = test_setter(dev, on, 1);

    return tested < 0 ? tested : judge_setter(dev, on, dev->api->set_heater(dev, on), 1);
}

int32_t hal_point_terminal(struct hal *dev, uint32_t target_id)
{
    int32_t tested = test_setter(dev, target_id, HAL_TARGET_ID_MAX);

    return tested < 0 ? tested
                      : judge_setter(dev, target_id, hal_terminal_point(dev, target_id),
                                     HAL_TARGET_ID_MAX);
}

int32_t hal_set_laser(struct hal *dev, uint32_t on)
{
    int32_t state = hal_test_open(dev);

    return state < 0 ? state : set_guarded(dev, on, 1, hal_terminal_set_laser);
}

int32_t hal_set_payload_busy(struct hal *dev, uint32_t permille)
{
    int32_t tested = test_setter(dev, permille, 1000);

    return tested < 0
               ? tested
               : judge_setter(dev, permille, dev->api->set_payload_busy(dev, permille), 1000);
}

/* The register whose writing, with which value, undoes what a tripped guard forbids; 0: allowed. */
static int forbidden(uint32_t reg, uint32_t value, uint32_t *undo_reg, uint32_t *undo_value)
{
    *undo_reg = reg == TERM_REG_LASER_ENABLE ? TERM_REG_LASER_ENABLE : TERM_REG_INHIBIT;
    *undo_value = reg == TERM_REG_LASER_ENABLE ? 0 : 1;
    return (reg == TERM_REG_LASER_ENABLE && value != 0) ||
           (reg == TERM_REG_INHIBIT && value == 0) || reg == TERM_REG_RESET;
}

static int32_t write_guarded(struct hal *dev, uint32_t reg, uint32_t value)
{
    uint32_t undo_reg = 0;
    uint32_t undo_value = 0;
    int lifts = forbidden(reg, value, &undo_reg, &undo_value);

    if (lifts && guard_holds(dev->guard) != 0) {
        return inhibited(dev);
    }
    int32_t written = hal_terminal_write(dev, reg, value);

    if (lifts && guard_holds(dev->guard) != 0) {
        (void)hal_terminal_write(dev, undo_reg, undo_value);
        return inhibited(dev);
    }
    if (written < 0) {
        dev->counters.setters_failed++;
    }
    return written;
}

int32_t hal_term_write(struct hal *dev, uint32_t reg, uint32_t value)
{
    int32_t state = hal_test_open(dev);

    if (state < 0) {
        return state;
    }
    int32_t allowed = terminal_register_check(reg, value);

    if (allowed < 0) {
        dev->counters.setters_rejected++;
        return allowed;
    }
    return write_guarded(dev, reg, value);
}

/* A guard that is armed, or has tripped, holds the device until it is disarmed. */
static int is_held(const struct hal *dev)
{
    struct guard_status status;

    return dev->guard != NULL && guard_read_status(dev->guard, &status) == HAL_OK &&
           status.state != GUARD_DISARMED;
}

int32_t hal_attach_guard(struct hal *dev, struct guard *guard)
{
    struct guard_plan plan = {.count = 0};
    int32_t state = hal_test_open(dev);

    if (state < 0) {
        return state;
    }
    if (is_held(dev)) {
        return HAL_E_STATE;
    }
    if (guard == NULL) {
        dev->guard = NULL;
        return HAL_OK;
    }
    if (dev->api->safe_plan == NULL) {
        return HAL_E_UNSUPPORTED;
    }
    int32_t planned = dev->api->safe_plan(dev, &plan);

    if (planned < 0) {
        return planned;
    }
    hal_terminal_plan(dev, &plan);
    int32_t set = guard_set_plan(guard, &plan, hal_data_bytes(dev->api, dev->config));

    if (set < 0) {
        return set;
    }
    dev->guard = guard;
    return (int32_t)plan.count;
}

int32_t hal_rearm_guard(struct hal *dev)
{
    struct guard_status status;
    int32_t state = hal_test_open(dev);

    if (state < 0) {
        return state;
    }
    if (dev->guard == NULL) {
        return HAL_E_UNSUPPORTED;
    }
    int32_t read = guard_read_status(dev->guard, &status);

    if (read < 0 || status.state != GUARD_TRIPPED) {
        return read < 0 ? read : HAL_E_STATE;
    }
    if (status.safe == 0) {
        return HAL_E_BUSY;
    }
    /* Still TRIPPED: the laser stays off whatever anybody asks for meanwhile. */
    int32_t lifted = hal_terminal_write(dev, TERM_REG_INHIBIT, 0);

    return lifted < 0 && lifted != HAL_E_UNSUPPORTED ? lifted : guard_rearm(dev->guard);
}
