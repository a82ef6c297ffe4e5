/* What the flight thread wishes of a laser terminal, on its way to the thread that keeps the line; see
 * term_client.h. */
#include "hal.h"
#include "shared_word.h"
#include "term_client.h"

const struct term_link_view *term_client_look(struct term_client *client)
{
    return &client->views[link_latest_take(&client->latest)];
}

int32_t term_client_order(struct term_client *client, uint32_t reg, uint32_t value)
{
    const struct term_order order = {reg, value};

    if ((reg == TERM_REG_INHIBIT && value != 0) || (reg == TERM_REG_LASER_ENABLE && value == 0)) {
        /* An inhibit as well: it may be lifted again before the other thread has looked. */
        shared_word_store(&client->darkenings, shared_word_load(&client->darkenings) + 1);
    }
    if (reg == TERM_REG_INHIBIT) {
        shared_word_store(&client->inhibit, value);
        return HAL_OK;
    }
    if (reg == TERM_REG_LASER_ENABLE && value == 0) {
        return HAL_OK;
    }
    if ((reg == TERM_REG_LASER_ENABLE || reg == TERM_REG_RESET) &&
        term_client_look(client)->phase != TERM_LINK_UP) {
        return HAL_E_TIMEOUT;
    }
    if (reg == TERM_REG_RESET) {
        shared_word_store(&client->inhibit, 0); /* as it will be there, too */
    }
    return link_ring_push(&client->orders, (const uint8_t *)&order, sizeof order) ? HAL_OK
                                                                                  : HAL_E_BUSY;
}

/* The flight thread's wishes, and last what makes dark: it may come early, never late. */
void term_client_take_orders(struct term_client *client)
{
    struct term_order order;

    while (client->writes.count + 2 < TERM_WRITES_MAX &&
           link_ring_pop(&client->orders, (uint8_t *)&order, sizeof order) > 0) {
        (void)term_writes_put(&client->writes, order.reg, order.value);
        if (order.reg == TERM_REG_RESET) {
            client->inhibit_seen = 0; /* a word of 1 was stored after it, and is told after it */
        }
    }
    /* Looked at after the ring: whoever asked for darkness and then for another target gets them in
     * this order. */
    uint32_t inhibit = shared_word_load(&client->inhibit);
    uint32_t darkenings = shared_word_load(&client->darkenings);

    if (inhibit != client->inhibit_seen) {
        client->inhibit_seen = inhibit;
        (void)term_writes_put(&client->writes, TERM_REG_INHIBIT, inhibit != 0);
    }
    if (darkenings != client->darkenings_seen) {
        client->darkenings_seen = darkenings;
        (void)term_writes_put(&client->writes, TERM_REG_LASER_ENABLE, 0);
    }
}
