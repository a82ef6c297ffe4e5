/* Light on the node: direction of the Sun, the conical shadow, heat taken in by surfaces. */
#include <math.h>

#include "plant_node.h"

static const double pi = 3.14159265358979323846;
static const double earth_km = 6378.137;
static const double sun_km = 695700.0;
static const double au_km = 149597870.7;

static double radians(double degrees)
{
    return degrees * (pi / 180.0);
}

static double turn(double degrees)
{
    const double rest = fmod(degrees, 360.0);
    return rest < 0.0 ? rest + 360.0 : rest;
}

static double within(double low, double value, double high)
{
    return fmin(high, fmax(low, value));
}

void plant_sun_at(double days_j2000, struct plant_sun *sun)
{
    const double g = radians(turn(357.528 + 0.9856003 * days_j2000));
    const double mean = 280.460 + 0.9856474 * days_j2000;
    const double longitude = radians(turn(mean + 1.915 * sin(g) + 0.020 * sin(2.0 * g)));
    const double obliquity = radians(23.439 - 4.0e-7 * days_j2000);
    const double sine = sin(longitude);
    sun->x = cos(longitude);
    sun->y = cos(obliquity) * sine;
    sun->z = sin(obliquity) * sine;
    sun->distance_au = 1.00014 - 0.01671 * cos(g) - 0.00014 * cos(2.0 * g);
}

void plant_disc_angles(double x_km, double y_km, double z_km, const struct plant_sun *sun,
                       double *angles)
{
    const double distance_km = sun->distance_au * au_km;
    const double dx = sun->x * distance_km - x_km;
    const double dy = sun->y * distance_km - y_km;
    const double dz = sun->z * distance_km - z_km;
    const double d_km = sqrt(dx * dx + dy * dy + dz * dz);
    const double r_km = sqrt(x_km * x_km + y_km * y_km + z_km * z_km);
    const double cosine = -(x_km * dx + y_km * dy + z_km * dz) / (r_km * d_km);
    angles[0] = asin(sun_km / d_km);
    angles[1] = asin(fmin(1.0, earth_km / r_km));
    angles[2] = acos(within(-1.0, cosine, 1.0));
}

double plant_sunlit_fraction(double x_km, double y_km, double z_km, const struct plant_sun *sun)
{
    const double along = x_km * sun->x + y_km * sun->y + z_km * sun->z;
    if (along >= 0.0) {
        return 1.0; /* the day side: the Earth is behind the node */
    }
    const double aside2 = x_km * x_km + y_km * y_km + z_km * z_km - along * along;
    const double reach_km = earth_km - 0.01 * along; /* far wider than the penumbra, 0.0047 */
    if (aside2 > reach_km * reach_km) {
        return 1.0;
    }
    double angles[3];
    plant_disc_angles(x_km, y_km, z_km, sun, angles);
    const double a = angles[0];
    const double b = angles[1];
    const double c = angles[2];
    if (c >= a + b) {
        return 1.0;
    }
    if (c <= b - a) {
        return 0.0;
    }
    const double near = (c * c + a * a - b * b) / (2.0 * c);
    const double half_chord = sqrt(fmax(0.0, a * a - near * near));
    const double hidden = a * a * acos(within(-1.0, near / a, 1.0)) +
                          b * b * acos(within(-1.0, (c - near) / b, 1.0)) - c * half_chord;
    return within(0.0, 1.0 - hidden / (pi * a * a), 1.0);
}

double plant_surface_heat(const struct plant_surfaces *surfaces, double direct_w_m2,
                          double day_w_m2, double *heat_w)
{
    double absorbed_w = 0.0;
    for (int32_t i = 0; i < surfaces->node_count; i++) {
        heat_w[i] = surfaces->sun_m2[i] * direct_w_m2 + surfaces->day_m2[i] * day_w_m2 +
                    surfaces->infrared_w[i];
        absorbed_w += heat_w[i];
    }
    return absorbed_w;
}
