/* Lumped thermal network: conduction, radiation, heat in; classical Runge-Kutta. */
#include "plant_kernels.h"

static double slopes(const struct plant_thermal_net *net, const double *temp_k,
                     const double *heat_w, double *slope_k_s)
{
    double flow_w[PLANT_NODES_MAX];
    double radiated_w = 0.0;
    for (int32_t i = 0; i < net->node_count; i++) {
        const double t2 = temp_k[i] * temp_k[i];
        const double out_w = net->emission_w_k4[i] * t2 * t2;
        flow_w[i] = heat_w[i] - out_w;
        radiated_w += out_w;
    }
    for (int32_t k = 0; k < net->link_count; k++) {
        const int32_t a = net->link_a[k];
        const int32_t b = net->link_b[k];
        const double w = net->link_w_k[k] * (temp_k[a] - temp_k[b]);
        flow_w[a] -= w;
        flow_w[b] += w;
    }
    for (int32_t i = 0; i < net->node_count; i++) {
        slope_k_s[i] = flow_w[i] / net->capacity_j_k[i];
    }
    return radiated_w;
}

static int net_is_sound(const struct plant_thermal_net *net)
{
    if (net->node_count < 1 || net->node_count > PLANT_NODES_MAX || net->link_count < 0 ||
        net->link_count > PLANT_LINKS_MAX) {
        return 0;
    }
    for (int32_t k = 0; k < net->link_count; k++) {
        if (net->link_a[k] < 0 || net->link_a[k] >= net->node_count || net->link_b[k] < 0 ||
            net->link_b[k] >= net->node_count) {
            return 0;
        }
    }
    return 1;
}

int32_t plant_thermal_step(const struct plant_thermal_net *net, double *temp_k,
                           const double *heat_w, double dt_s, int32_t steps, double *radiated_j)
{
    double k1[PLANT_NODES_MAX];
    double k2[PLANT_NODES_MAX];
    double k3[PLANT_NODES_MAX];
    double k4[PLANT_NODES_MAX];
    double at[PLANT_NODES_MAX];
    if (!net_is_sound(net) || !(dt_s > 0.0) || steps < 0) {
        return PLANT_E_RANGE;
    }
    const int32_t n = net->node_count;
    for (int32_t step = 0; step < steps; step++) {
        const double r1 = slopes(net, temp_k, heat_w, k1);
        for (int32_t i = 0; i < n; i++) {
            at[i] = temp_k[i] + 0.5 * dt_s * k1[i];
        }
        const double r2 = slopes(net, at, heat_w, k2);
        for (int32_t i = 0; i < n; i++) {
            at[i] = temp_k[i] + 0.5 * dt_s * k2[i];
        }
        const double r3 = slopes(net, at, heat_w, k3);
        for (int32_t i = 0; i < n; i++) {
            at[i] = temp_k[i] + dt_s * k3[i];
        }
        const double r4 = slopes(net, at, heat_w, k4);
        for (int32_t i = 0; i < n; i++) {
            temp_k[i] += dt_s / 6.0 * (k1[i] + 2.0 * (k2[i] + k3[i]) + k4[i]);
        }
        *radiated_j += dt_s / 6.0 * (r1 + 2.0 * (r2 + r3) + r4);
    }
    return 0;
}
