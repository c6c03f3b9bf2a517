// Names that come from a file, in messages; and names that must differ.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "octet/core/error.hpp"
#include "octet/core/printable.hpp"

namespace octet::onnx::inline OCTET_ABI {

/// printable(name) in quotes.
inline std::string in_quotes(std::string_view name) { return "'" + printable(name) + "'"; }

/// Names that were given out, so that none is given twice.
class unique_names {
  public:
    /// printable(wanted), with a number where that is taken.
    std::string operator()(const std::string& wanted) {
        std::string name = printable(wanted);
        if (taken_.emplace(name, 1).second) return name;
        for (;;) {
            std::string other = text(name, "_", ++taken_[name]);
            if (taken_.emplace(other, 1).second) return other;
        }
    }

  private:
    std::map<std::string, int> taken_;
};

}  // namespace octet::onnx::inline OCTET_ABI
