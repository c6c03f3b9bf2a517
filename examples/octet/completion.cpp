#include "completion.hpp"

#include <CLI/CLI.hpp>
#include <octet/core/error.hpp>
#include <vector>

namespace {

using octet::text;

/// One option of a command, or one word that it takes in any place.
struct completed {
    std::string name;                  ///< "--type"; empty: an argument without a name
    std::string what;                  ///< its first clause
    std::vector<std::string> choices;  ///< the words that it takes; empty: files
    bool takes_value = false;
};

/// "{u8,i8,f32}" of "TEXT:{u8,i8,f32}", which is how CLI11 shows CLI::IsMember.
std::vector<std::string> choices_of(const std::string& type) {
    std::vector<std::string> all;
    const std::size_t open = type.find('{'), close = type.find('}');
    if (open == std::string::npos || close == std::string::npos) return all;
    for (std::size_t first = open + 1; first < close;) {
        const std::size_t end = std::min(type.find(',', first), close);
        all.push_back(type.substr(first, end - first));
        first = end + 1;
    }
    return all;
}

std::vector<completed> options_of(const CLI::App& command) {
    std::vector<completed> all;
    for (const CLI::Option* one : command.get_options()) {
        const std::string name = one->get_lnames().empty() ? "" : "--" + one->get_lnames()[0];
        all.push_back({name, one->get_description(), choices_of(one->get_type_name()), one->get_expected_max() > 0});
    }
    return all;
}

std::string joined(const std::vector<std::string>& words) {
    std::string all;
    for (const std::string& word : words) all += (all.empty() ? "" : " ") + word;
    return all;
}

/// With a backslash before each character of `special`.
std::string escaped(const std::string& words, const std::string& special) {
    std::string all;
    for (const char c : words) all += special.find(c) == std::string::npos ? std::string(1, c) : std::string{'\\', c};
    return all;
}

/// In single quotes, inside which a shell takes everything but these as it is.
std::string quoted(const std::string& words) {
    std::string all = "'";
    for (const char c : words) all += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return all + "'";
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
    return app.get_subcommands([](const CLI::App*) { return true; });
}

std::string bash(const CLI::App& app) {
    std::vector<std::string> names;
    std::string options, choices;
    for (const CLI::App* command : commands_of(app)) {
        names.push_back(command->get_name());
        std::vector<std::string> own;
        for (const completed& one : options_of(*command)) {
            if (!one.name.empty()) own.push_back(one.name);
            if (one.choices.empty()) continue;
            // An argument without a name is completed where no option stands before it.
            choices += text("            ", command->get_name(), ":", one.name.empty() ? command->get_name() : one.name,
                            ") words=", quoted(joined(one.choices)), " ;;\n");
        }
        options += text("            ", command->get_name(), ") words=", quoted(joined(own)), " ;;\n");
    }
    return text(R"(# bash completion for octet: source it, or install it as share/bash-completion/completions/octet
_octet() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} words=
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        COMPREPLY=($(compgen -W ')",
                joined(names), R"( --help --version' -- "$current"))
        return
    fi
    if [[ $current == -* ]]; then
        case $command in
)",
                options, R"(        esac
    else
        case $command:$previous in
)",
                choices, R"(        esac
    fi
    [[ -n $words ]] && COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _octet octet
)");
}

std::string zsh(const CLI::App& app) {
    std::string names, bodies;
    for (const CLI::App* command : commands_of(app)) {
        names += text("            ", quoted(command->get_name() + ":" + command->get_description()), "\n");
        bodies += text("        ", command->get_name(), ") _arguments");
        for (const completed& one : options_of(*command)) {
            const std::string words = one.choices.empty() ? "_files" : "(" + joined(one.choices) + ")";
            const std::string value = one.takes_value ? ":value:" + words : "";
            const std::string named = text(one.name, "[", escaped(one.what, "[]:\\"), "]", value);
            bodies += text(" \\\n            ", quoted(one.name.empty() ? ":value:" + words : named));
        }
        bodies += " ;;\n";
    }
    return text(R"(#compdef octet
# zsh completion for octet: install it as _octet in a folder of $fpath
_octet() {
    if ((CURRENT == 2)); then
        local -a commands=(
)",
                names, R"(        )
        _describe command commands
        return
    fi
    local command=$words[2]
    shift words
    ((--CURRENT))
    case $command in
)",
                bodies, R"(    esac
}
_octet "$@"
)");
}

std::string fish(const CLI::App& app) {
    std::string all = "# fish completion for octet: install it as share/fish/vendor_completions.d/octet.fish\n";
    for (const CLI::App* command : commands_of(app)) {
        const std::string& name = command->get_name();
        all += text("complete -c octet -n __fish_use_subcommand -f -a ", name, " -d ",
                    quoted(command->get_description()), "\n");
        for (const completed& one : options_of(*command)) {
            if (one.name.empty() && one.choices.empty()) continue;
            all += text("complete -c octet -n '__fish_seen_subcommand_from ", name, "'");
            if (!one.name.empty()) all += text(" -l ", one.name.substr(2), " -d ", quoted(one.what));
            if (one.takes_value && !one.name.empty()) all += " -r";
            if (!one.choices.empty()) all += text(" -f -a ", quoted(joined(one.choices)));
            all += '\n';
        }
    }
    return all;
}

}  // namespace

std::string completion_script(const CLI::App& app, const std::string& shell) {
    return shell == "bash" ? bash(app) : shell == "zsh" ? zsh(app) : fish(app);
}
