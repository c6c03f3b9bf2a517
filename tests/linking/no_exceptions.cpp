// Without exceptions.
#include "linking/unit.hpp"

unit_report no_exceptions_unit(std::span<const float> reals) { return report_of_this_unit(reals); }
