/* A far terminal's registers; see link_registers.h. */
#include "link_registers.h"

#include "hal.h"

#define RETRY_NS ((uint64_t)LINK_ACTUATORS_RETRY_NS)

static uint32_t next_id(struct link_registers *registers)
{
    registers->last_id = registers->last_id == UINT32_MAX ? 1 : registers->last_id + 1;
    return registers->last_id;
}

void link_registers_restart(struct link_registers *registers)
{
    for (uint32_t i = 0; i < LINK_REGISTER_WRITES; i++) {
        registers->failed += registers->writes[i].id != 0;
        registers->writes[i].id = 0;
    }
    registers->known = 0;
    registers->read_id = 0;
}

void link_registers_read(struct link_registers *registers, struct link_session *session)
{
    struct link_reg_read request = {
        .id = next_id(registers),
        .first = 0,
        .count = TERM_REG_COUNT,
    };
    uint8_t payload[LINK_REG_READ_BYTES];

    (void)link_put_reg_read(&request, payload);
    if (link_session_post(session, LINK_REG_READ, payload, sizeof payload) == HAL_OK) {
        registers->read_id = request.id;
    }
}

/* Whether an older write, sent again after the newer one, would undo that one. */
static int undoes(uint32_t older, uint32_t newer)
{
    return older == newer || newer == TERM_REG_RESET ||
           (older == TERM_REG_RESET && newer == TERM_REG_INHIBIT);
}

static void void_older(struct link_registers *registers, uint32_t reg)
{
    for (uint32_t i = 0; i < LINK_REGISTER_WRITES; i++) {
        if (registers->writes[i].id != 0 && undoes(registers->writes[i].reg, reg)) {
            registers->writes[i].id = 0;
            registers->failed++;
        }
    }
}

int link_registers_write(struct link_registers *registers, uint32_t reg, uint32_t value,
                         uint64_t now_ns)
{
    void_older(registers, reg);
    for (uint32_t i = 0; i < LINK_REGISTER_WRITES; i++) {
        if (registers->writes[i].id == 0) {
            registers->writes[i] = (struct link_register_write){
                .id = next_id(registers),
                .reg = reg,
                .value = value,
                .due_ns = now_ns,
            };
            return 1;
        }
    }
    return 0;
}

static void send(const struct link_register_write *write, struct link_session *session)
{
    struct link_reg_write request = {
        .id = write->id,
        .reg = (uint16_t)write->reg,
        .value = write->value,
    };
    uint8_t payload[LINK_REG_WRITE_BYTES];

    (void)link_put_reg_write(&request, payload);
    (void)link_session_post(session, LINK_REG_WRITE, payload, sizeof payload);
}

/* A terminal that stays lit although a guard asked for darkness is worth any number of messages. */
static int is_given_up(const struct link_register_write *write)
{
    return write->tries >= LINK_REGISTER_TRIES_MAX && write->reg != TERM_REG_INHIBIT;
}

/* The oldest write that is under way; they are answered in any order but sent in theirs. */
static struct link_register_write *oldest(struct link_registers *registers, uint32_t behind_id)
{
    struct link_register_write *found = NULL;

    for (uint32_t i = 0; i < LINK_REGISTER_WRITES; i++) {
        struct link_register_write *write = &registers->writes[i];

        if (write->id > behind_id && (found == NULL || write->id < found->id)) {
            found = write;
        }
    }
    return found;
}

uint64_t link_registers_step(struct link_registers *registers, struct link_session *session,
                             uint64_t now_ns)
{
    struct link_register_write *write = NULL;
    uint64_t next_ns = UINT64_MAX;
    uint32_t behind_id = 0;

    while ((write = oldest(registers, behind_id)) != NULL) {
        behind_id = write->id;
        if (now_ns >= write->due_ns && is_given_up(write)) {
            write->id = 0;
            registers->failed++;
            continue;
        }
        if (now_ns >= write->due_ns) {
            send(write, session);
            write->tries++;
            write->due_ns = now_ns + RETRY_NS;
        }
        next_ns = write->due_ns < next_ns ? write->due_ns : next_ns;
        if (write->reg == TERM_REG_RESET) {
            break; /* sent again, it would undo what came after it */
        }
    }
    return next_ns;
}

static void take_values(struct link_registers *registers, const struct link_reg_values *head,
                        const uint8_t *words)
{
    for (uint32_t i = 0; i < head->count && head->first + i < TERM_REG_COUNT; i++) {
        struct link_word word;

        link_get_word(words + (size_t)i * LINK_WORD_BYTES, &word);
        registers->values[head->first + i] = word.value;
    }
}

/* The far end's answer as a code of hal.h: what it means that no number of ours says is not known. */
static int32_t known_code(int32_t code)
{
    if (code >= 0) {
        return HAL_OK;
    }
    return code < HAL_E_INHIBITED ? HAL_E_IO : code;
}

void link_registers_take(struct link_registers *registers, const struct link_message *message,
                         uint64_t now_ns)
{
    struct link_reg_values head;

    link_get_reg_values(message->payload, &head);
    if (head.id == 0) {
        return;
    }
    for (uint32_t i = 0; i < LINK_REGISTER_WRITES; i++) {
        if (registers->writes[i].id == head.id) {
            registers->writes[i].id = 0;
            registers->refused += head.code < 0;
            take_values(registers, &head, message->payload + LINK_REG_VALUES_BYTES);
            return;
        }
    }
    if (head.id != registers->read_id) {
        return; /* of a reading that another took the place of */
    }
    registers->read_id = 0;
    registers->code = known_code(head.code);
    registers->read_ns = now_ns;
    take_values(registers, &head, message->payload + LINK_REG_VALUES_BYTES);
    registers->known |= head.code >= 0 && head.first == 0 && head.count >= TERM_REG_COUNT;
}
