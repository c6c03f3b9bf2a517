#include "engine_of.hpp"

template struct engine_of<octet::single>;
