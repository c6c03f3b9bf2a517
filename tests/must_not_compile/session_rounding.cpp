// expect: octet::session: the rounding policy is octet::nearest_even, octet::tflite or octet::single
#include <octet/graph/session.hpp>

struct towards_zero {};

void run(octet::session<towards_zero>& one) { one.run(); }

int main() {}
