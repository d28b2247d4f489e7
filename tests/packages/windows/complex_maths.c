/* The functions of complex numbers that Wine's C library lacks, as Windows' calling convention passes their numbers. */
#include <complex.h>
#include <math.h>

typedef struct { double re, im; } pair;
typedef struct { float re, im; } small;

static double _Complex number(pair z) {
  double _Complex c;
  __real__ c = z.re;
  __imag__ c = z.im;
  return c;
}
static pair pair_of(double _Complex c) { pair z = {__real__ c, __imag__ c}; return z; }
static pair wide(small z) { pair w = {z.re, z.im}; return w; }
static small narrow(pair z) { small s = {(float)z.re, (float)z.im}; return s; }

pair lent_ccos(pair z) { return pair_of(ccos(number(z))); }
small lent_ccosf(small z) { return narrow(lent_ccos(wide(z))); }
pair lent_ccosh(pair z) { return pair_of(ccosh(number(z))); }
small lent_ccoshf(small z) { return narrow(lent_ccosh(wide(z))); }
pair lent_cexp(pair z) { return pair_of(cexp(number(z))); }
small lent_cexpf(small z) { return narrow(lent_cexp(wide(z))); }
pair lent_csin(pair z) { return pair_of(csin(number(z))); }
small lent_csinf(small z) { return narrow(lent_csin(wide(z))); }
pair lent_csinh(pair z) { return pair_of(csinh(number(z))); }
small lent_csinhf(small z) { return narrow(lent_csinh(wide(z))); }
pair lent_ctan(pair z) { return pair_of(ctan(number(z))); }
small lent_ctanf(small z) { return narrow(lent_ctan(wide(z))); }
pair lent_ctanh(pair z) { return pair_of(ctanh(number(z))); }
small lent_ctanhf(small z) { return narrow(lent_ctanh(wide(z))); }
pair lent_cpow(pair z, pair power) { return pair_of(cpow(number(z), number(power))); }
small lent_cpowf(small z, small power) { return narrow(lent_cpow(wide(z), wide(power))); }
double lent_creal(pair z) { return z.re; }
float lent_crealf(small z) { return (float)(z.re); }
double lent_cimag(pair z) { return z.im; }
float lent_cimagf(small z) { return (float)(z.im); }
double lent_cabs(pair z) { return hypot(z.re, z.im); }
float lent_cabsf(small z) { return (float)(hypot(z.re, z.im)); }
double lent_carg(pair z) { return atan2(z.im, z.re); }
float lent_cargf(small z) { return (float)(atan2(z.im, z.re)); }
