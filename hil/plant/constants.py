"""Physical constants of the plant; every room of the plant takes them from here.

Two gravity models live side by side and are never mixed: the WGS-84 set describes the
Earth (shape, eclipse, inclination of a sun-synchronous orbit), the WGS-72 set belongs to
SGP4, whose element sets are defined in it (Vallado et al., AIAA 2006-6753).
"""

import math

MU_EARTH_KM3_S2 = 398600.4418
"""WGS-84 gravitational parameter."""
R_EARTH_KM = 6378.137
"""WGS-84 equatorial radius."""
J2_EARTH = 1.08262668e-3
"""Second zonal harmonic (EGM-96, unnormalised)."""
FLATTENING_EARTH = 1.0 / 298.257223563
"""WGS-84 flattening."""

SGP4_MU_KM3_S2 = 398600.8
"""WGS-72 gravitational parameter, SGP4 only."""
SGP4_R_EARTH_KM = 6378.135
"""WGS-72 equatorial radius, SGP4 only."""

R_SUN_KM = 695700.0
"""Nominal solar radius (IAU 2015 resolution B3)."""
AU_KM = 149597870.7
"""Astronomical unit (IAU 2012 resolution B2)."""
SOLAR_CONSTANT_W_M2 = 1361.0
"""Total solar irradiance at one astronomical unit."""
ALBEDO_EARTH = 0.30
"""Mean Bond albedo; cases run from 0.20 to 0.45."""
EARTH_IR_W_M2 = 237.0
"""Mean outgoing long-wave flux; cases run from 218 to 258."""
STEFAN_BOLTZMANN_W_M2K4 = 5.670374419e-8
"""CODATA 2018."""
GAS_CONSTANT_J_MOLK = 8.314462618
"""CODATA 2018."""
SSO_NODE_RATE_RAD_S = 1.99106e-7
"""One turn a tropical year: the node rate of a sun-synchronous orbit."""

ZERO_CELSIUS_K = 273.15
DAY_S = 86400.0
NS_PER_S = 1_000_000_000
UNIX_EPOCH_JD = 2440587.5
"""Julian date of 1970-01-01T00:00:00 UTC."""
J2000_JD = 2451545.0
TWO_PI = 2.0 * math.pi
