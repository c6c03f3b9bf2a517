// flags: -ffast-math
// expect: Octet promises the same bytes on every machine, and -ffast-math breaks that promise: compile without it.
#include <octet/octet.hpp>

int main() {}
