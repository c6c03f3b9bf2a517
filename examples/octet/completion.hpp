// Shell completion, from the command line's own list of commands and options.
#pragma once

#include <string>

namespace CLI {
class App;
}

/// The script for "bash", "zsh" or "fish" that completes the commands of `app`, their options, and the words that an
/// option takes; where none are known, files.
std::string completion_script(const CLI::App& app, const std::string& shell);
