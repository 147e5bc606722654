// No include guard by design of what follows it: define before hwy/foreach_target.h. Left out are targets whose
// instructions these kernels don't use (they would only add compile time: SSSE3, and the AVX-512 extensions, which are
// bits 4, 6 and 7) and those with vectors of unknown length, which can't be held in arrays.
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | (1LL << 4) | (1LL << 6) | (1LL << 7) | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#endif
