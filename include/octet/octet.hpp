// Octet: quantizes convolutional networks and runs them in int8. The umbrella: it needs only the standard library.
#pragma once

#include "octet/core/config.hpp"
#include "octet/quant/quantizer.hpp"
