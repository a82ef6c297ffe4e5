/* The program lumenode-guard: makes payload and laser safe when the flight process cannot. Started
 * by the flight process alone; see native/include/guard_supervisor.h. */
#include "guard_seat.h"

int main(int argc, char **argv)
{
    return guard_seat(argc, argv);
}
