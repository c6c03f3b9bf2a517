// expect: octet::session: an input or output is read as std::int8_t or float
#include <octet/graph/session.hpp>

int first(octet::session<>& run) { return run.input<int>(0).data[0]; }

int main() {}
