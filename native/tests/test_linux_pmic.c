/* A Raspberry Pi 5's board power out of its rails. */
#include "check.h"
#include "hal.h"
#include "linux_pmic.h"

#include <string.h>

static void volts_and_amperes_of_a_rail_make_its_watts(void)
{
    static const char TEXT[] = "     3V3_SYS_A current(1)=0.50000000A\n"
                               "    VDD_CORE_A current(7)=2.00000000A\n"
                               "     3V3_SYS_V volt(9)=3.30000000V\n"
                               "    VDD_CORE_V volt(15)=0.90000000V\n"
                               "      EXT5V_V volt(24)=5.15000000V\n"
                               "       BATT_V volt(25)=0.00000000V\n";
    int32_t mw = 0;

    /* 1.65 W + 1.8 W; EXT5V and BATT have no current. 1.1451 x 3.45 + 0.5879 = 4.538495 */
    CHECK(linux_pmic_estimate(TEXT, &mw) == HAL_OK);
    CHECK(mw == 4538);
}

static void the_short_text_tells_the_same(void)
{
    int32_t mw = 0;

    CHECK(linux_pmic_estimate("3V3_SYS_V=3.3V\n3V3_SYS_A=0.5A\nVDD_CORE_V=0.9000V\nVDD_CORE_A=2A",
                              &mw) == HAL_OK);
    CHECK(mw == 4538);
}

static void without_a_rail_that_has_both_there_is_no_estimate(void)
{
    static const char *const WRONG[] = {
        "",
        "\n\n   \n",
        "error=1 error_msg=\"Command not registered\"",
        "VDD_CORE_V volt(15)=0.9V\n",
        "VDD_CORE_A current(7)=2.0A\n3V3_SYS_V volt(9)=3.3V\n",
        "VDD_CORE_V volt(15)=0.9V\nVDD_CORE_A current(7)=x\n",
        "VDD_CORE_V volt(15)=0.9V\nVDD_CORE_A current(7)=-2.0A\n",
        "VDD_CORE_V volt(15)=0.9V\nVDD_CORE_A current(7)=200.0A\n",
        "_V=1\n_A=1\n",
        "A=1\nV=1\n",
        "A_NAME_THAT_IS_MUCH_TOO_LONG_V=1\nA_NAME_THAT_IS_MUCH_TOO_LONG_A=1\n",
    };
    int32_t mw = 7;

    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        CHECK(linux_pmic_estimate(WRONG[i], &mw) == HAL_E_CORRUPT);
    }
    CHECK(linux_pmic_estimate("X_V=99\nX_A=99", &mw) == HAL_E_RANGE);
    CHECK(mw == 7);
}

static void more_rails_than_any_board_has_are_left_out(void)
{
    char text[2048] = "";
    int32_t mw = 0;

    for (int i = 0; i < LINUX_PMIC_RAILS_MAX + 5; i++) {
        size_t used = strlen(text);

        snprintf(text + used, sizeof text - used, "R%d_V=1\nR%d_A=1\n", i, i);
    }
    CHECK(linux_pmic_estimate(text, &mw) == HAL_OK);
    CHECK(mw == 28070); /* 1.1451 x 24 + 0.5879 */
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(volts_and_amperes_of_a_rail_make_its_watts),
        PROMISE(the_short_text_tells_the_same),
        PROMISE(without_a_rail_that_has_both_there_is_no_estimate),
        PROMISE(more_rails_than_any_board_has_are_left_out),
    };

    KEEP(PROMISES);
    return 0;
}
