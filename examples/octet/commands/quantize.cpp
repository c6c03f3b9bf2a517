// octet quantize: calibrates a float network and says what int8 costs each layer.
#include "commands.hpp"
#include "network.hpp"

void quantize(const options& asked, output& says) {
    const work with = prepare(asked, says);
    say_report(says, report_of(asked, with));
}
