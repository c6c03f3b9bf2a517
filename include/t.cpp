#include <octet/octet.hpp>
