// Without exceptions.
#include "linking/unit.hpp"

unit_report no_exceptions_unit(std::span<const std::int8_t> values) { return report_of_this_unit(values); }
