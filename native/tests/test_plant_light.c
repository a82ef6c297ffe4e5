/* Sun, shadow and surfaces against dates and closed forms. */
#include "check.h"
#include "plant_node.h"

#include <math.h>

static int near(double a, double b, double tolerance)
{
    return fabs(a - b) <= tolerance;
}

/* 1992-10-13T00:00 TD, Meeus, Astronomical Algorithms, example 25.a: apparent longitude 199.90895
 * deg, obliquity 23.44023 deg, distance 0.99766 AU. */
static void the_sun_is_where_the_almanac_puts_it(void)
{
    struct plant_sun sun;

    plant_sun_at(-2636.5, &sun);
    double longitude_deg = 199.90895, obliquity_deg = 23.44023, degree = acos(-1.0) / 180.0;

    CHECK(near(sun.x, cos(longitude_deg * degree), 3e-4));
    CHECK(near(sun.y, sin(longitude_deg * degree) * cos(obliquity_deg * degree), 3e-4));
    CHECK(near(sun.z, sin(longitude_deg * degree) * sin(obliquity_deg * degree), 3e-4));
    CHECK(near(sun.distance_au, 0.99766, 2e-4));
    CHECK(near(sun.x * sun.x + sun.y * sun.y + sun.z * sun.z, 1.0, 1e-12));
}

static const struct plant_sun along_x = {1.0, 0.0, 0.0, 1.0};

static void the_day_side_and_far_beside_the_earth_are_in_full_light(void)
{
    CHECK(plant_sunlit_fraction(6978.0, 0.0, 0.0, &along_x) == 1.0);
    CHECK(plant_sunlit_fraction(-1000.0, 6978.0, 0.0, &along_x) == 1.0);
}

static void behind_the_earth_is_dark_and_the_penumbra_rises_without_a_step(void)
{
    CHECK(plant_sunlit_fraction(-6978.0, 0.0, 0.0, &along_x) == 0.0);
    double before = 0.0;
    int between = 0;

    for (double y_km = 6300.0; y_km < 6450.0; y_km += 0.25) {
        double lit = plant_sunlit_fraction(-2830.0, y_km, 0.0, &along_x);

        CHECK(lit >= before && lit - before < 0.05);
        between += lit > 0.0 && lit < 1.0;
        before = lit;
    }
    CHECK(before == 1.0);
    /* Width of the penumbra there: twice the Sun's apparent radius times the distance, 26 km. */
    CHECK(near(between * 0.25, 2.0 * 2830.0 * 695700.0 / 149597870.7, 0.6));
}

static void the_discs_are_as_large_as_they_look(void)
{
    double angles[3];

    plant_disc_angles(-6978.0, 0.0, 0.0, &along_x, angles);
    CHECK(near(angles[0], 0.0046504, 1e-6));
    CHECK(near(angles[1], asin(6378.137 / 6978.0), 1e-12));
    CHECK(near(angles[2], 0.0, 1e-9));
    plant_disc_angles(6000.0, 0.0, 0.0, &along_x, angles); /* inside: a disc of half the sky */
    CHECK(near(angles[1], acos(0.0), 1e-12));
}

static void surfaces_take_in_the_sum_of_sun_day_and_infrared(void)
{
    struct plant_surfaces surfaces = {
        .node_count = 2, .sun_m2 = {0.1, 0.0}, .day_m2 = {0.0, 0.5}, .infrared_w = {1.0, 2.0}};
    double heat_w[2];

    CHECK(
        near(plant_surface_heat(&surfaces, 1361.0, 100.0, heat_w), 136.1 + 1.0 + 50.0 + 2.0, 1e-9));
    CHECK(near(heat_w[0], 137.1, 1e-9) && near(heat_w[1], 52.0, 1e-12));
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(the_sun_is_where_the_almanac_puts_it),
        PROMISE(the_day_side_and_far_beside_the_earth_are_in_full_light),
        PROMISE(behind_the_earth_is_dark_and_the_penumbra_rises_without_a_step),
        PROMISE(the_discs_are_as_large_as_they_look),
        PROMISE(surfaces_take_in_the_sum_of_sun_day_and_infrared),
    };

    KEEP(PROMISES);
    return 0;
}
