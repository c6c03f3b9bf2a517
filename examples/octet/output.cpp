#include "output.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <octet/core/printable.hpp>
#include <octet/json.hpp>
#include <octet/report/text.hpp>

namespace {

using nlohmann::ordered_json;
using octet::printable;

template <class... Bodies>
struct overloaded : Bodies... {
    using Bodies::operator()...;
};
template <class... Bodies>
overloaded(Bodies...) -> overloaded<Bodies...>;

ordered_json value_of(const cell& one) {
    return std::visit(overloaded{[](double held) { return octet::to_json(held); },
                                 [](const std::string& held) { return octet::to_json(held); },
                                 [](const auto& held) { return ordered_json(held); }},
                      one.data);
}

}  // namespace

cell cell::count(std::size_t value) { return {octet::format::grouped(value), static_cast<std::int64_t>(value)}; }
cell cell::real(const char* form, double value) { return {octet::format::number(form, value), value}; }

void output::fact(const std::string& key, cell value) { parts_.emplace_back(key, std::move(value)); }
void output::table(const std::string& key, std::string title, std::vector<column> columns,
                   std::vector<std::vector<cell>> rows, std::size_t left) {
    parts_.emplace_back(key, table_part{std::move(title), std::move(columns), std::move(rows), left});
}
void output::remark(std::string lines) { parts_.emplace_back("", text_part{std::move(lines)}); }
void output::json(const std::string& key, std::string document) {
    parts_.emplace_back(key, json_part{std::move(document)});
}

std::string output::to_text() const {
    constexpr std::size_t key_width = 12;
    std::string all;
    const auto fact_line = [&](const std::string& key, const cell& one) {
        all += key + std::string(key.size() < key_width ? key_width - key.size() : 0, ' ') + ' ' +
               printable(one.text, std::string::npos) + '\n';
    };
    const auto table_lines = [&](const table_part& part) {
        std::vector<std::vector<std::string>> rows(1);
        for (const column& one : part.columns) rows[0].push_back(one.title);
        for (const std::vector<cell>& row : part.rows) {
            rows.emplace_back();
            for (const cell& one : row) rows.back().push_back(printable(one.text, std::string::npos));
        }
        if (part.columns.back().title.empty()) {  // notes, at the left
            std::size_t widest = 0;
            for (const auto& row : rows) widest = std::max(widest, row.back().size());
            for (auto& row : rows) row.back().resize(widest, ' ');
        }
        if (!all.empty()) all += '\n';
        if (!part.title.empty()) all += part.title + ":\n";
        all += octet::format::aligned(rows, part.left);
    };
    for (const auto& [key, part] : parts_)
        std::visit(overloaded{[&, name = key](const cell& one) { fact_line(name, one); },
                              [&](const table_part& one) { table_lines(one); }, [](const json_part&) {},
                              [&](const text_part& one) { all += one.lines; }},
                   part);
    return all;
}

std::string output::to_json() const {
    ordered_json all = ordered_json::object();
    const auto objects = [](const table_part& part) {
        ordered_json rows = ordered_json::array();
        for (const std::vector<cell>& row : part.rows) {
            ordered_json& object = rows.emplace_back(ordered_json::object());
            for (std::size_t c = 0; c < row.size(); ++c) object[part.columns[c].key] = value_of(row[c]);
        }
        return rows;
    };
    for (const auto& [key, part] : parts_)
        std::visit(overloaded{[&, name = key](const cell& one) { all[name] = value_of(one); },
                              [&, name = key](const table_part& one) { all[name] = objects(one); },
                              [&, name = key](const json_part& one) { all[name] = ordered_json::parse(one.document); },
                              [](const text_part&) {}},
                   part);
    return all.dump(2) + '\n';
}

void output::print(bool as_json) const {
    const std::string all = as_json ? to_json() : to_text();
    if (std::fwrite(all.data(), 1, all.size(), stdout) != all.size() || std::fflush(stdout) != 0)
        octet::fail("the result cannot be written to stdout (", std::strerror(errno), "): check where it leads");
}
