// Octet: quantizes convolutional networks and runs them in int8. The umbrella: it needs only the standard library.
// Where to start: quant/quantizer.hpp for one array, nn/ for one layer, graph/quantize.hpp and graph/session.hpp for a
// network, report/report.hpp for what it lost. Model files are read by octet/io/onnx.hpp, which is not included here.
#pragma once

#include "octet/calib/observer.hpp"
#include "octet/core/config.hpp"
#include "octet/core/error.hpp"
#include "octet/core/parallel.hpp"
#include "octet/core/shape.hpp"
#include "octet/core/view.hpp"
#include "octet/graph/graph.hpp"
#include "octet/graph/passes.hpp"
#include "octet/graph/quantize.hpp"
#include "octet/graph/session.hpp"
#include "octet/isa/select.hpp"
#include "octet/nn/conv2d.hpp"
#include "octet/nn/depthwise_conv2d.hpp"
#include "octet/nn/elementwise.hpp"
#include "octet/nn/linear.hpp"
#include "octet/nn/lookup.hpp"
#include "octet/nn/pool2d.hpp"
#include "octet/nn/softmax.hpp"
#include "octet/quant/quantizer.hpp"
#include "octet/quant/rounding.hpp"
#include "octet/report/report.hpp"
#include "octet/report/text.hpp"
