// The commands of the tool: each is a file of commands/.
#pragma once

#include "options.hpp"
#include "output.hpp"

void inspect(const options& asked, output& says);
void run(const options& asked, output& says);
void evaluate(const options& asked, output& says);
void bench(const options& asked, output& says);
void compare(const options& asked, output& says);
void sensitivity(const options& asked, output& says);
void quantize(const options& asked, output& says);
