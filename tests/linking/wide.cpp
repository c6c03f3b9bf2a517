// A larger baseline: AVX2 and FMA everywhere, or Armv8.2 with dotprod.
#include "linking/unit.hpp"

unit_report wide_unit(std::span<const float> reals) { return report_of_this_unit(reals); }
