/*
 * link_registers.h - the registers of a laser terminal at the far end of a session: the newest that
 * was read, and writes that are repeated until they are answered. Pure.
 */
#ifndef LUMENODE_LINK_REGISTERS_H
#define LUMENODE_LINK_REGISTERS_H

#include "link_session.h"
#include "terminal_registers.h"

#define LINK_REGISTER_WRITES    8u
#define LINK_REGISTER_TRIES_MAX 20u

struct link_register_write {
    uint32_t id; /* 0: free */
    uint32_t reg;
    uint32_t value;
    uint32_t tries;
    uint64_t due_ns;
};

struct link_registers {
    uint32_t values[TERM_REG_COUNT];
    uint32_t known;   /* 1: all of them were read in this session */
    int32_t code;     /* enum hal_err of the last reading */
    uint64_t read_ns; /* when they came */
    uint32_t read_id; /* of the reading that is under way; 0: none */
    uint32_t last_id;
    struct link_register_write writes[LINK_REGISTER_WRITES];
    uint64_t refused; /* writes answered with an error */
    uint64_t failed;  /* writes never answered, or void before they were */
};

/* Another session: nothing is known, nothing is under way; the writes under way are lost. */
void link_registers_restart(struct link_registers *registers);

/* Asks for all registers. One reading at a time: a second takes the place of an unanswered one. */
void link_registers_read(struct link_registers *registers, struct link_session *session);

/*
 * Takes a write. Older ones under way that would undo it if they were sent again are void: those of
 * the same register, all of them before a RESET, and a RESET before an INHIBIT. @return 1 taken, 0 no
 * room: as many as there may be are under way.
 */
int link_registers_write(struct link_registers *registers, uint32_t reg, uint32_t value,
                         uint64_t now_ns);

/* Sends and repeats writes; what was never answered is given up, INHIBIT excepted. What was asked for
 * after a RESET waits for its answer. @return when it is due next. */
uint64_t link_registers_step(struct link_registers *registers, struct link_session *session,
                             uint64_t now_ns);

/* A LINK_REG_VALUES that came. */
void link_registers_take(struct link_registers *registers, const struct link_message *message,
                         uint64_t now_ns);

#endif
