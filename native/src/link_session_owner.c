/* What the owner of a session asks of it; see link_session.h. */
#include "hal.h"
#include "link_session_parts.h"

#include <string.h>

static int32_t test_up(const struct link_session *session)
{
    return session->state == LINK_STATE_UP ? HAL_OK : HAL_E_STATE;
}

int32_t link_session_post(struct link_session *session, uint8_t type, const uint8_t *payload,
                          uint32_t payload_bytes)
{
    if (payload_bytes > LINK_SMALL_BYTES_MAX ||
        (type != LINK_ACTUATED && type != LINK_NODE_RESET &&
         (type < LINK_REG_READ || type > LINK_REG_VALUES))) {
        return HAL_E_RANGE;
    }
    if (test_up(session) < 0) {
        return HAL_E_STATE;
    }
    if (!link_outbox_put(&session->outbox, type, payload, payload_bytes)) {
        session->counters.tx_refused++;
        return HAL_E_BUSY;
    }
    return HAL_OK;
}

int32_t link_session_test(struct link_session *session, uint8_t type, const uint8_t *payload,
                          uint32_t payload_bytes)
{
    if ((type != LINK_ECHO && type != LINK_BIT_TEST) || payload_bytes > LINK_PAYLOAD_BYTES_MAX) {
        return HAL_E_RANGE;
    }
    if (test_up(session) < 0) {
        return HAL_E_STATE;
    }
    if (!link_outbox_put_test(&session->outbox, type, payload, payload_bytes)) {
        session->counters.tx_dropped++;
        return HAL_E_BUSY;
    }
    return HAL_OK;
}

void link_session_set_actuators(struct link_session *session, const struct link_actuators *wanted,
                                uint64_t now_ns)
{
    struct link_actuators next = *wanted;

    next.number = session->wanted.number;
    if (next.number == 0 || memcmp(&next, &session->wanted, sizeof next) != 0) {
        session->wanted = next;
        link_session_repeat_actuators(session, now_ns);
    }
}

void link_session_repeat_actuators(struct link_session *session, uint64_t now_ns)
{
    uint32_t number = session->wanted.number;

    session->wanted.number = number == UINT32_MAX ? 1 : number + 1; /* 0 means: never set */
    session->actuated_number = session->wanted.number - 1;
    session->actuators_due_ns = now_ns;
    if (session->state == LINK_STATE_UP) {
        session->waits |= LINK_WAITS_ACTUATORS;
    }
}

int32_t link_session_tick_done(struct link_session *session, uint64_t tick)
{
    if (test_up(session) < 0 || tick == 0 || tick != session->grant.tick) {
        return HAL_E_STATE;
    }
    session->done = (struct link_done){.tick = tick, .actuators_number = session->wanted.number};
    session->waits |= LINK_WAITS_DONE;
    if (link_frames_granted(&session->in) != session->in.told) {
        session->waits |= LINK_WAITS_CREDIT; /* belongs to this tick, however fast it went */
    }
    return HAL_OK;
}

int32_t link_session_show_sensors(struct link_session *session, const struct link_sensors *sensors)
{
    if (test_up(session) < 0) {
        return HAL_E_STATE;
    }
    session->counters.tx_dropped += (session->waits & LINK_WAITS_SENSORS) != 0;
    session->sensors = *sensors;
    session->waits |= LINK_WAITS_SENSORS;
    return HAL_OK;
}

int32_t link_session_grant(struct link_session *session, const struct link_grant *grant)
{
    if (test_up(session) < 0) {
        return HAL_E_STATE;
    }
    session->grant = *grant;
    session->waits |= LINK_WAITS_GRANT;
    return HAL_OK;
}

void link_session_tell_light(struct link_session *session, const struct link_credit *light,
                             uint64_t now_ns)
{
    session->light = *light;
    session->credit_due_ns = now_ns;
    if (session->state == LINK_STATE_UP) {
        session->waits |= LINK_WAITS_CREDIT;
    }
}
